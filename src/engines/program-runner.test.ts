// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { streamOf } from "../core/byte-stream.ts";
import { systemPrograms } from "./program-runner.ts";
import { runForeground } from "./run-foreground.ts";
import type { EngineHost } from "./engine.ts";
import type { ForwardedSignal } from "./signal-source.ts";

const env = { PATH: process.env["PATH"] };

describe("capture", () => {
  test("gives output, errors and the exit code", async () => {
    const answer = await systemPrograms.capture("sh", ["-c", "cat; echo bad >&2; exit 3"], {
      env,
      input: streamOf(new TextEncoder().encode("in")),
    });
    expect(answer).toEqual({ exitCode: 3, stdout: "in", stderr: "bad\n", timedOut: false });
  });

  test("does not mind a program that ends without reading its input", async () => {
    const input = streamOf(new Uint8Array(4_000_000));
    expect(await systemPrograms.capture("true", [], { env, input })).toMatchObject({ exitCode: 0 });
  });

  test("kills what takes too long", async () => {
    expect(await systemPrograms.capture("sleep", ["60"], { env, timeout: 50 })).toMatchObject({
      timedOut: true,
    });
  });

  test("stops when its caller does", async () => {
    const controller = new AbortController();
    const answer = systemPrograms.capture("sleep", ["60"], { env, signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(answer).rejects.toThrow("enough");
  });

  test("keeps a bounded amount of endless output", async () => {
    const { stdout } = await systemPrograms.capture("sh", ["-c", "yes | head -c 5000000"], { env });
    expect(stdout.length).toBeLessThan(1_200_000);
  });
});

describe("find", () => {
  test("looks at absolute folders of PATH only, for files that can be executed", async () => {
    expect(await systemPrograms.find("sh", env.PATH)).toMatch(/^\/.*\/sh$/);
    expect(await systemPrograms.find("passwd", "/etc:.")).toBeUndefined();
    expect(await systemPrograms.find("no-such-program", env.PATH)).toBeUndefined();
  });
});

describe("runForeground", () => {
  test.each([
    [false, ["SIGINT", "SIGTERM"]],
    [true, ["SIGTERM"]],
  ] as const)(
    "with a terminal attached (%s) passes on %j of Ctrl-C and kill",
    async (hasTerminal, expected) => {
      const passed: string[] = [];
      const controls: { send?: (signal: ForwardedSignal) => void; end?: (code: number) => void } = {};
      const host = {
        hasTerminal,
        signals: {
          listen(onSignal: (signal: ForwardedSignal) => void) {
            controls.send = onSignal;
            return () => undefined;
          },
        },
        programs: {
          ...systemPrograms,
          start: async () => ({
            pid: 1,
            kill: (signal: string) => void passed.push(signal),
            ended: new Promise<number>((resolve) => {
              controls.end = resolve;
            }),
          }),
        },
      } as unknown as EngineHost;
      const outcome = runForeground({ program: "x", argv: [], env: {} }, host);
      // Before the program runs: kept, and passed on once it does.
      controls.send?.("SIGINT");
      await Promise.resolve();
      await Promise.resolve();
      controls.send?.("SIGTERM");
      controls.end?.(143);
      expect(await outcome).toEqual({ exitCode: 143 });
      expect(passed).toEqual(expected);
    },
  );

  test("names an engine that cannot be started", async () => {
    const host = {
      signals: { listen: () => () => undefined },
      programs: systemPrograms,
    } as unknown as EngineHost;
    await expect(runForeground({ program: "/nonexistent", argv: [], env }, host)).rejects.toMatchObject({
      code: "ENGINE_NOT_FOUND",
    });
  });
});
