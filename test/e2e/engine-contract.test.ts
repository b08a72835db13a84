// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ContractRun } from "../support/contract/contract-case.ts";
import { CONTRACT } from "../support/contract/contract.ts";
import { isDeclared } from "../support/contract/contract-difference.ts";
import { type EngineBench, openEngineBench, removeCompiled } from "../support/engine-bench.ts";
import {
  CONTRACT_ENGINES,
  type EngineUnderTest,
  OPTIONAL_ENGINES,
  type ReadyEngine,
} from "../support/engine-list.ts";
import { hasPrograms } from "../support/programs.ts";

afterAll(removeCompiled);

describe.each([...CONTRACT_ENGINES, ...OPTIONAL_ENGINES])("$title", (engine: EngineUnderTest) => {
  let ready: ReadyEngine;
  let bench: EngineBench;
  beforeAll(async () => {
    if (!engine.isHere) return;
    ready = await engine.start();
    bench = await openEngineBench({ engine: engine.name, caller: ready.caller, env: ready.env });
    // The first run unpacks or loads the image.
    expect(await bench.run(["true"])).toMatchObject({ code: 0, stderr: "" });
  });
  afterAll(async () => {
    await bench?.remove();
    await ready?.stop();
  });

  describe.each(CONTRACT)("$title", ({ cases }) => {
    for (const one of cases) {
      test.runIf(engine.isHere && hasPrograms(...(one.needs ?? [])))(`a command ${one.title}`, async () => {
        await one.run(describeRun(engine, ready, bench));
      });
    }
  });
});

function describeRun(engine: EngineUnderTest, { caller }: ReadyEngine, bench: EngineBench): ContractRun {
  const differs: ContractRun["differs"] = (name) => isDeclared(name, engine);
  return {
    engine: engine.name,
    user: engine.user,
    bench,
    caller,
    inside: differs("uid-zero") ? { uid: 0, gid: 0 } : caller,
    differs,
    async textOf(argv, options) {
      const { code, stdout, stderr } = await bench.run(argv, options);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      return stdout.toString("utf8");
    },
  };
}
