// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * What `toolbox CMD` costs before the engine starts: `node bench/run-path.mjs [ROUNDS]`, after `npm run build`.
 * The engine is a shell script that does nothing, so that only our own work counts. Rounds are interleaved, the first
 * one warms up; CPU time is what a busy machine tells reliably.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROUNDS = Number(process.argv[2] ?? 21);
const MAIN = join(dirname(dirname(fileURLToPath(import.meta.url))), "dist", "cli", "main.js");
const DIGEST = `sha256:${"0".repeat(63)}1`;
const ENGINE = `#!/bin/sh
case $1 in version) echo '{"Client":{"Version":"27.0"},"Server":{"Version":"27.0"}}' ;; esac
`;

const folder = mkdtempSync(join(tmpdir(), "toolbox-run-path-"));
try {
  measure(prepare());
} finally {
  rmSync(folder, { recursive: true });
}

function prepare() {
  const engine = join(folder, "docker");
  writeFileSync(engine, ENGINE, { mode: 0o755 });
  const workspace = join(folder, "workspace");
  mkdirSync(workspace);
  const use = { reference: "registry.example.com/team/tools:1.0", digest: DIGEST, platforms: {} };
  const session = { mounts: [], env: [], credentials: [] };
  writeFileSync(
    join(workspace, "toolbox.lock"),
    JSON.stringify({ lockVersion: 1, images: {}, tools: {}, use, session }),
  );
  return {
    workspace,
    commands: /** @type {Record<string, string[]>} */ ({
      "node -e 0": [process.execPath, "-e", "0"],
      "the engine alone": [engine, "run"],
      "toolbox true": [process.execPath, MAIN, "true"],
    }),
  };
}

/** @param {ReturnType<typeof prepare>} prepared */
function measure({ workspace, commands }) {
  const env = { PATH: `${folder}:${process.env["PATH"] ?? ""}`, HOME: folder };
  /** @type {Map<string, { wall: number, cpu: number }[]>} */
  const times = new Map(Object.keys(commands).map((name) => [name, []]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, argv] of Object.entries(commands)) {
      const script = 'TIMEFORMAT="%R %U %S"; time "$@" >/dev/null';
      const { status, stderr } = spawnSync("bash", ["-c", script, "bash", ...argv], {
        env,
        cwd: workspace,
        encoding: "utf8",
      });
      if (status !== 0) throw new Error(`${name}: ${stderr}`);
      const [wall = 0, user = 0, system = 0] = (stderr.trim().split("\n").at(-1) ?? "")
        .split(" ")
        .map(Number);
      if (round > 0) times.get(name)?.push({ wall: wall * 1000, cpu: (user + system) * 1000 });
    }
  }
  for (const [name, rounds] of times) {
    const cpu = describe(rounds.map((one) => one.cpu));
    const wall = describe(rounds.map((one) => one.wall));
    console.log(`${name.padEnd(18)} CPU ${cpu}, wall ${wall}`);
  }
}

/** @param {number[]} values */
function describe(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return `${Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0)} ms (least ${Math.round(sorted[0] ?? 0)})`;
}
