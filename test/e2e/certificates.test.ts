// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canMakeCertificates, makeAuthority } from "../support/certificate.ts";
import { CONTRACT_ENGINES, type ReadyEngine } from "../support/engine-list.ts";
import type { ProgramResult } from "../support/programs.ts";
import { type PublishedImage, publishQuickstart, TAG } from "../support/published-image.ts";
import { makeWorkspace, type SmallWorkspace } from "../support/small-workspace.ts";

/** What git asks a plain web server for. */
const REFS = `${"1".repeat(40)}\trefs/heads/main\n`;

/** Variables of this machine that name certificates, taken away so that only those of the test count. */
const NONE = Object.fromEntries(
  ["AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"].map(
    (name) => [name, undefined],
  ),
);

const ENGINES = CONTRACT_ENGINES.filter(({ title }) => /^(?:docker|bubblewrap) as root$/.test(title));

describe.runIf(canMakeCertificates())("a server that only a company's own authority vouches for", () => {
  let image: PublishedImage;
  let work: SmallWorkspace;
  let server: Server;
  let url = "";
  let authority = "";
  beforeAll(async () => {
    image = await publishQuickstart();
    work = await makeWorkspace();
    const { ca, cert, key } = await makeAuthority();
    authority = join(work.path, "..", "corp-root.pem");
    await writeFile(authority, ca);
    await writeFile(join(work.path, "team.pem"), ca);
    server = createServer({ cert, key }, (request, response) =>
      response.end(request.url?.includes("/info/refs") === true ? REFS : "hello from the inside\n"),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    url = `https://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  });
  afterAll(async () => {
    server?.close();
    await work?.remove();
    await image?.remove();
  });

  const lock = async (session: string): Promise<void> => {
    await work.write("toolbox.yaml", `use: ${image.repository}:${TAG}\n${session}`);
    expect((await work.toolbox(["lock"])).code).toBe(0);
  };

  describe.each(ENGINES)("on $title", (engine) => {
    describe.runIf(engine.isHere)("where it is installed", () => {
      let ready: ReadyEngine;
      beforeAll(async () => {
        ready = await engine.start();
      });
      afterAll(async () => ready?.stop());

      const toolbox = async (
        args: readonly string[],
        env: Readonly<Record<string, string | undefined>>,
      ): Promise<ProgramResult> =>
        work.toolbox(args, {
          env: { ...ready.env, TOOLBOX_ENGINE: engine.name, ...NONE, SSL_CERT_FILE: undefined, ...env },
        });
      const curl = ["curl", "--silent", "--show-error", "--max-time", "60"];

      test("is refused as long as the machine does not name that authority", async () => {
        await lock("");
        expect(await toolbox([...curl, url], {})).toMatchObject({
          code: 60,
          stderr: expect.stringContaining("certificate"),
        });
      });

      test.each(["SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"])(
        "is trusted by curl and git inside when the machine names it with %s",
        async (name) => {
          const env = { [name]: authority };
          expect(await toolbox([...curl, url], env)).toMatchObject({
            code: 0,
            stdout: "hello from the inside\n",
          });
          expect(await toolbox(["git", "ls-remote", `${url}/shop.git`], env)).toMatchObject({
            code: 0,
            stdout: REFS,
          });
        },
      );

      test("does not take the place of those that all the world trusts", async () => {
        const count = ["sh", "-c", 'grep -c "BEGIN CERTIFICATE" "$CURL_CA_BUNDLE"'];
        const { stdout } = await toolbox(count, { SSL_CERT_FILE: authority });
        expect(Number(stdout)).toBeGreaterThan(50);
      });

      test("is trusted when the session names a file of the workspace", async () => {
        await lock('session: { env: ["CURL_CA_BUNDLE=/work/team.pem"] }\n');
        expect(await toolbox([...curl, url], {})).toMatchObject({ code: 0 });
      });
    });
  });
});
