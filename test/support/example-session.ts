// SPDX-License-Identifier: Apache-2.0
import { digestOf } from "../../src/oci/index.ts";
import type { Session } from "../../src/session/index.ts";

/** A plain session of a plain user that runs `true`, but for what is changed. */
export function exampleSession(change: Partial<Session> = {}): Session {
  return {
    image: { digest: digestOf(new Uint8Array()), platform: "linux/amd64" },
    argv: ["true"],
    workdir: "/work",
    mounts: [],
    files: [],
    copies: [],
    env: {},
    secrets: [],
    user: { uid: 1000, gid: 1000, name: "ada", group: "ada", home: "/home/toolbox" },
    tty: false,
    network: "host",
    hostname: "toolbox",
    umask: 0o022,
    limits: {},
    ports: [],
    ...change,
  };
}
