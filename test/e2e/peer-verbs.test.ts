// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openLayoutStore } from "../../src/oci/index.ts";
import { type PeerAuth, PEERS, type PeerRegistry, startPeer, USER } from "../support/peer-registry.ts";
import { makeFolder, type ProgramResult, type TemporaryFolder } from "../support/programs.ts";
import { runToolbox } from "../support/programs-toolbox.ts";
import { addSampleImage, type SampleImage } from "../support/sample-image.ts";
import { hasZot } from "../support/zot.ts";

const AUTHS: readonly PeerAuth[] = ["nobody", "htpasswd", "token"];
/** The first test of a registry may have to build it. */
const BUILD = { timeout: 900_000 };

let folder: TemporaryFolder;
let image: SampleImage;
let peer: PeerRegistry | undefined;

beforeAll(async () => {
  folder = await makeFolder("peer-verbs");
  await writeFile(join(folder.path, "sbom.json"), '{"spdxVersion":"SPDX-2.3"}\n');
  image = await addSampleImage(await openLayoutStore(join(folder.path, "image")), { tag: "v1" });
});
afterEach(async () => {
  await peer?.stop();
  peer = undefined;
});
afterAll(async () => {
  await folder?.remove();
});

/** One line instead of many tests that are not there. */
test.runIf(hasZot())("zot is among the registries (needs TOOLBOX_ZOT)", () => {
  expect(PEERS.map(([name]) => name)).toContain("zot");
});

describe.each(PEERS)("the verbs and the registry of %s", (name, isHere) => {
  test.runIf(isHere).each(AUTHS)("push, pull, copy, attach, list and delete, for %s", BUILD, async (auth) => {
    peer = await startPeer(name, auth);
    const at = `${peer.host}/team/tools`;
    await logIn(USER.password);
    await toolbox("image", "copy", "oci:image:v1", `${at}:1.0`);
    expect(await toolboxJson("image", "tags", at)).toMatchObject({ tags: ["1.0"] });
    const attached = await attach(`${at}:1.0`);
    expect(await listed(`${at}:1.0`)).toEqual([attached]);

    const layout = `pulled-${name}-${auth}`;
    await toolbox("image", "copy", `${at}:1.0`, `oci:${layout}:1.0`, "--referrers");
    await toolbox("image", "verify", layout, "--deep");
    const store = await openLayoutStore(join(folder.path, layout));
    expect((await store.resolveManifest("1.0")).digest).toBe(image.index.digest);

    await toolbox("image", "copy", `${at}:1.0`, `${peer.host}/team/copy:1.0`, "--referrers");
    expect(await listed(`${peer.host}/team/copy:1.0`)).toEqual([attached]);
    await toolbox("artifact", "pull", `${peer.host}/team/copy@${attached}`, "-o", `files-${layout}`);
    expect(await readFile(join(folder.path, `files-${layout}`, "sbom.json"), "utf8")).toContain("SPDX-2.3");

    await toolbox("image", "delete", `${at}@${attached}`);
    expect(await listed(`${at}:1.0`)).toEqual([]);
    await toolbox("image", "delete", `${at}:1.0`, "--manifest");
    expect((await run("image", "inspect", `${at}:1.0`)).code).toBe(3);
  });

  test.runIf(isHere).each(["htpasswd", "token"] as const)(
    "a wrong password is refused before anything is written: %s",
    BUILD,
    async (auth) => {
      peer = await startPeer(name, auth);
      await logIn("wrong");
      const refused = await run("image", "copy", "oci:image:v1", `${peer.host}/team/tools:1.0`);
      expect(refused.stderr).toContain("AUTH_DENIED");
      expect(refused.code).toBe(5);
      await logIn(USER.password);
      await toolbox("image", "copy", "oci:image:v1", `${peer.host}/team/tools:1.0`);
    },
  );
});

/** As `docker login` does. */
async function logIn(password: string): Promise<void> {
  const auth = Buffer.from(`${USER.name}:${password}`).toString("base64");
  await mkdir(join(folder.path, "docker"), { recursive: true });
  const config = { auths: { [peer?.host ?? ""]: { auth } } };
  await writeFile(join(folder.path, "docker", "config.json"), JSON.stringify(config));
}

async function attach(to: string): Promise<string> {
  const words = ["--to", to, "sbom.json:application/spdx+json", "--artifact-type", "application/spdx+json"];
  return (await toolboxJson<{ digest: string }>("artifact", "attach", ...words)).digest;
}

async function listed(of: string): Promise<string[]> {
  const { referrers } = await toolboxJson<{ referrers: { digest: string }[] }>("artifact", "list", of);
  return referrers.map(({ digest }) => digest);
}

async function toolboxJson<T>(...args: readonly string[]): Promise<T> {
  return JSON.parse(await toolbox(...args, "--json")) as T;
}

async function toolbox(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args);
  if (code !== 0) throw new Error(`toolbox ${args.join(" ")} ended with ${code}\n${stdout}${stderr}`);
  return stdout;
}

async function run(...args: readonly string[]): Promise<ProgramResult> {
  const { path } = folder;
  const env = { DOCKER_CONFIG: join(path, "docker"), HOME: path, TOOLBOX_CACHE: join(path, "cache") };
  return runToolbox(args, { cwd: path, env: { ...env, XDG_RUNTIME_DIR: "", XDG_CONFIG_HOME: undefined } });
}
