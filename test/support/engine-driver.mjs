// SPDX-License-Identifier: Apache-2.0
// @ts-check
// Runs one session as a process of its own: real stdin, stdout, stderr, signals and terminal.
// Started as `node engine-driver.mjs DIST REQUEST [ARGUMENT...]`, with DIST the compiled src/ and REQUEST a JSON file;
// the arguments follow those of the request.
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const [dist = "", requestFile = "", ...words] = process.argv.slice(2);
/** @type {{engine: string, image: any, session: any, credentials: string[], localtime?: string, dataDir: string, stateDir: string, store: string}} */
const request = JSON.parse(await readFile(requestFile, "utf8"));
/** @type {typeof import("../../src/engines/index.ts")} */
const engines = await import(join(dist, "engines/index.js"));
/** @type {typeof import("../../src/session/index.ts")} */
const sessions = await import(join(dist, "session/index.js"));
/** @type {typeof import("../../src/oci/index.ts")} */
const oci = await import(join(dist, "oci/index.js"));

const uid = process.getuid?.() ?? 0;
const gid = process.getgid?.() ?? 0;
const terminal = { stdin: process.stdin.isTTY ?? false, stdout: process.stdout.isTTY ?? false };
const host = {
  cwd: process.cwd(),
  home: process.env["HOME"] ?? "/nonexistent",
  uid,
  gid,
  userName: uid === 0 ? "root" : "ada",
  groupName: uid === 0 ? "root" : "ada",
  env: process.env,
  umask: process.umask(),
  localtime: request.localtime,
  stateDir: request.stateDir,
  terminal,
};
try {
  const { env, home } = host;
  const files = engines.systemFiles;
  const argv = [...request.session.argv, ...words];
  const grants = await sessions.planCredentials(request.credentials, { home, env, files });
  const certificates = await sessions.planCertificates({ env, files, publicRoots: async () => "" });
  const about = { image: request.image, host, grants, certificates, argv };
  const session = sessions.planSession({ ...request.session, ...about });
  const { engine } = await engines.selectEngine(request.engine, {
    os: process.platform,
    uid,
    gid,
    env: process.env,
    dataDir: request.dataDir,
    stateDir: request.stateDir,
    programs: engines.systemPrograms,
    signals: engines.processSignals,
    output: { kind: engines.lookAtOutput(), errors: process.stderr },
    hasTerminal: terminal.stdin || terminal.stdout || (process.stderr.isTTY ?? false),
  });
  const store = await oci.openLayoutStore(request.store, { create: false });
  const image = await engine.ensureImage(request.image, { store });
  const { exitCode, failure } = await engine.run(session, image);
  if (failure !== undefined) process.stderr.write(`${failure}\n`);
  process.exitCode = exitCode;
} catch (error) {
  const { code, message } = /** @type {{code?: string, message: string}} */ (error);
  process.stderr.write(
    `${code ?? "BUG"}: ${message}\n${code === undefined ? /** @type {Error} */ (error).stack : ""}`,
  );
  process.exitCode = 1;
}
