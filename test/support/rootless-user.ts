// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { chmod, chown, readFile, writeFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { hasPrograms, outputOf, runProgram } from "./programs.ts";

/** An account with ranges of its own in /etc/subuid and /etc/subgid, as rootless engines need it. */
export interface RootlessUser {
  readonly uid: number;
  readonly gid: number;
  /** Runs a program as this user and gives its exit code. */
  readonly run: (
    program: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ) => Promise<number>;
  readonly remove: () => Promise<void>;
}

/** Whether {@link makeRootlessUser} can work here. */
export function canMakeRootlessUser(): boolean {
  return process.getuid?.() === 0 && hasPrograms("useradd", "userdel", "newuidmap", "newgidmap", "ps");
}

/** Makes an account whose home is `folder`, with sub-ids that useradd(8) finds free. */
export async function makeRootlessUser(folder: string): Promise<RootlessUser> {
  const name = `toolbox-test-${randomBytes(4).toString("hex")}`;
  // useradd allots ranges only where the files are there.
  for (const file of ["/etc/subuid", "/etc/subgid"]) await writeFile(file, "", { flag: "a" });
  await outputOf("useradd", ["--no-create-home", "--home-dir", folder, "--shell", "/bin/sh", name]);
  const ids = (await outputOf("getent", ["passwd", name])).split(":");
  const [uid, gid] = [Number(ids[2]), Number(ids[3])];
  for (const file of ["/etc/subuid", "/etc/subgid"]) {
    if (!(await readFile(file, "utf8")).includes(`${name}:`)) throw new Error(`${file} has no "${name}"`);
  }
  await chown(folder, uid, gid);
  await chmod(folder, 0o755);
  return {
    uid,
    gid,
    run: async (program, args, env) =>
      (await runProgram(program, args, { cwd: folder, env: { HOME: folder, ...env }, uid, gid })).code,
    remove: async () => {
      await endProcesses(uid);
      // Takes the ranges out of both files as well.
      await outputOf("userdel", [name]);
    },
  };
}

/** Ends what an engine of this user left running to keep its namespace; nobody else has this number. */
async function endProcesses(uid: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const { stdout } = await runProgram("ps", ["-o", "pid=", "-U", String(uid)]);
    const pids = stdout
      .split("\n")
      .map(Number)
      .filter((pid) => pid > 0);
    if (pids.length === 0) return;
    for (const pid of pids) {
      // It may be gone by now.
      await runProgram("kill", [attempt < 50 ? "-TERM" : "-KILL", String(pid)]);
    }
    await wait(100);
  }
}
