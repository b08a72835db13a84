// SPDX-License-Identifier: Apache-2.0
import { suggestName } from "../core/suggestion.ts";
import { ToolingError } from "../core/error.ts";
import type { OperationOptions } from "../core/operation.ts";
import { type Engine, ENGINE_NAMES, type EngineHost, type EngineName, type EngineStatus } from "./engine.ts";
import { recallStatus, rememberStatus } from "./remembered-status.ts";

/** The engines that `--engine=embedded` tries, in this order. */
export const EMBEDDED_NAMES: readonly EngineName[] = ["bubblewrap", "namespaces", "crun", "runc"];

/** An engine that is ready, and what it said of itself. */
export interface EngineChoice {
  readonly engine: Engine;
  readonly status: EngineStatus & { readonly state: "ready" };
}

/** Makes the engine of that name, whether or not it is installed. A run loads the code of the one that it uses. */
export async function openEngine(name: EngineName, host: EngineHost): Promise<Engine> {
  if (name === "docker" || name === "podman" || name === "nerdctl") {
    const { ContainerEngine } = await import("./container-engine.ts");
    return new ContainerEngine(name, host);
  }
  const { openEmbeddedEngine } = await import("./open-embedded-engine.ts");
  return openEmbeddedEngine(name, host);
}

/** How to select. */
export interface SelectEngineOptions extends OperationOptions {
  /** Engines that have just been seen to start nothing. Absent: none. */
  readonly faults?: ReadonlyMap<EngineName, EngineStatus> | undefined;
}

/**
 * The engine that was asked for, or the first that is ready. What an engine said a short while ago is believed, but not
 * its refusal when it was asked for by name.
 *
 * @param wish An engine's name, or `embedded`. Absent: any.
 * @throws {ToolingError} `ENGINE_NOT_FOUND`, `ENGINE_NOT_RUNNING`, `COMMAND_USAGE`
 */
export async function selectEngine(
  wish: string | undefined,
  host: EngineHost,
  options: SelectEngineOptions = {},
): Promise<EngineChoice> {
  const names =
    wish === undefined ? ENGINE_NAMES : wish === "embedded" ? EMBEDDED_NAMES : [parseEngineName(wish)];
  const refusals: {
    readonly name: EngineName;
    readonly status: Exclude<EngineStatus, { state: "ready" }>;
  }[] = [];
  for (const name of names) {
    const { engine, status } = await askEngine(name, { host, isWished: names.length === 1 }, options);
    if (status.state === "ready") return { engine: engine ?? (await openEngine(name, host)), status };
    refusals.push({ name, status });
  }
  const first = refusals.find(({ status }) => status.state === "stopped") ?? refusals[0];
  if (first === undefined) throw new RangeError("no engine was tried");
  const { name, status } = first;
  const message =
    wish === undefined
      ? "no engine is ready, and there is no embedded runner either"
      : `${name} is not usable`;
  throw new ToolingError(
    status.state === "stopped" ? "ENGINE_NOT_RUNNING" : "ENGINE_NOT_FOUND",
    `${message}: ${status.reason}`,
    { hint: status.cure },
  );
}

/**
 * Does something with the engine that was asked for, or with the first that is ready; when that one turns out to start
 * nothing, and nobody asked for it by name, then with the next.
 *
 * @param use Started anew with each engine. Whoever holds an image in it calls `proveImage`.
 * @throws {ToolingError} what `use` throws, `ENGINE_NOT_FOUND`, `ENGINE_NOT_RUNNING`, `COMMAND_USAGE`
 */
export async function useEngine<T>(
  wish: string | undefined,
  host: EngineHost,
  use: (engine: Engine) => Promise<T>,
  options: OperationOptions = {},
): Promise<T> {
  const faults = new Map<EngineName, EngineStatus>();
  for (;;) {
    const { engine } = await selectEngine(wish, host, { ...options, faults });
    try {
      return await use(engine);
    } catch (error) {
      const isFault = error instanceof ToolingError && error.code === "ENGINE_UNUSABLE";
      if (!isFault || engine.name === wish) throw error;
      faults.set(engine.name, { state: "stopped", reason: error.message, cure: error.hint ?? "" });
      options.onProgress?.({ type: "noted", what: "engine", note: error.message });
    }
  }
}

async function askEngine(
  name: EngineName,
  { host, isWished }: { readonly host: EngineHost; readonly isWished: boolean },
  { faults, ...options }: SelectEngineOptions,
): Promise<{ readonly engine?: Engine; readonly status: EngineStatus }> {
  const known = faults?.get(name) ?? (await recallStatus(name, host));
  if (known !== undefined && (known.state === "ready" || !isWished)) return { status: known };
  const engine = await openEngine(name, host);
  const status = await engine.detect(options);
  await rememberStatus(name, status, host);
  return { engine, status };
}

function parseEngineName(text: string): EngineName {
  const name = ENGINE_NAMES.find((one) => one === text);
  if (name !== undefined) return name;
  const near = suggestName(text, [...ENGINE_NAMES, "embedded"]);
  throw new ToolingError("COMMAND_USAGE", `"${text}" is not an engine`, {
    hint:
      near === undefined ? `Choose one of: ${ENGINE_NAMES.join(", ")}, embedded.` : `Did you mean "${near}"?`,
  });
}
