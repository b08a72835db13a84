// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from "node:path";
import { ENGINE_NAMES, type EngineHost, hasImageAtHand, systemFiles } from "../engines/index.ts";
import { openLayoutStore, parseDigest } from "../oci/index.ts";
import { describeMissingNeeds, planCertificates, planCredentials } from "../session/index.ts";
import type { LockedSession, LockedUse, RunLock } from "../workspace/index.ts";
import type { CommandContext } from "./command.ts";
import { type Finding, fine } from "./finding.ts";
import { hostPlatform } from "./run-session.ts";

/** What of the host a session needs: the image that it uses, mounts, variables, credentials, certificates. */
export async function diagnoseSession(
  lock: RunLock,
  folder: string,
  { context, engines }: { readonly context: CommandContext; readonly engines: EngineHost },
): Promise<Finding[]> {
  const { session, use } = lock;
  return [
    ...(use === undefined ? [] : [await diagnoseUse(use, context, engines)]),
    ...(await diagnoseMounts(session, folder, context)),
    ...diagnoseVariables(session, context),
    ...(await diagnoseCredentials(lock, context)),
    ...(await diagnoseCertificates(context)),
  ];
}

async function diagnoseUse(
  { reference, digest, platforms }: LockedUse,
  { paths }: CommandContext,
  engines: EngineHost,
): Promise<Finding> {
  const check = `image ${reference}`;
  const platform = hostPlatform();
  const own = platforms[platform];
  if (own === undefined && Object.keys(platforms).length > 0) {
    const message = `it was not built for ${platform}, only for ${Object.keys(platforms).join(" and ")}`;
    return { check, state: "broken", message, cure: "Use an image that is built for this machine as well." };
  }
  const image = { reference, digest: parseDigest(own ?? digest), platform };
  for (const name of ENGINE_NAMES)
    if (await hasImageAtHand(name, image, engines)) return fine(check, `${name} holds the locked digest`);
  const store = await openLayoutStore(paths.store, { create: false }).catch(() => undefined);
  const known = await store?.resolveManifest(image.digest).catch(() => undefined);
  if (known !== undefined) return fine(check, "the local store holds the locked digest");
  const message = "it is not on this machine yet, so the first command fetches it";
  return { check, state: "warning", message, cure: "Run `toolbox pull`." };
}

async function diagnoseMounts(
  session: LockedSession | undefined,
  folder: string,
  { home }: CommandContext,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { source, target } of session?.mounts ?? []) {
    const path = source.startsWith("~/") ? join(home, source.slice(2)) : resolve(folder, source);
    const check = `mount ${target}`;
    const message = `"${path}" does not exist, so no command starts`;
    const cure = "Make it, or take it out of session.mounts.";
    const isThere = (await systemFiles.kindOf(path)) !== undefined;
    findings.push(isThere ? fine(check, `"${path}" is there`) : { check, state: "broken", message, cure });
  }
  return findings;
}

function diagnoseVariables(session: LockedSession | undefined, { env }: CommandContext): Finding[] {
  const names = (session?.env ?? []).filter((wish) => !wish.includes("="));
  return names.map((name): Finding => {
    const check = `variable ${name}`;
    if (env[name] !== undefined) return fine(check, "it is set");
    const cure = `Set it, or take "${name}" out of session.env.`;
    return { check, state: "warning", message: "the session passes it on, but it is not set here", cure };
  });
}

async function diagnoseCredentials(
  { session, images, binaries }: RunLock,
  { home, env }: CommandContext,
): Promise<Finding[]> {
  const grants = await planCredentials(session?.credentials ?? [], { home, env, files: systemFiles });
  return grants.map((grant): Finding => {
    const check = `credential ${grant.name}`;
    const image = session?.image;
    const missing = image === undefined ? [] : describeMissingNeeds([grant], { image, images, binaries });
    const message = [...grant.warnings, ...missing].join("; ");
    if (message === "") return fine(check, "it is there");
    const cure =
      grant.warnings.length === 0
        ? "Do as that says, then run `toolbox lock` and `toolbox build`."
        : `Log in with the tool's own client, or take "${grant.name}" out of session.credentials.`;
    return { check, state: "warning", message, cure };
  });
}

async function diagnoseCertificates({ env }: CommandContext): Promise<Finding[]> {
  const { file, warnings } = await planCertificates({ env, files: systemFiles, publicRoots: async () => "" });
  const check = "certificates";
  if (warnings.length > 0) {
    const cure = "Correct the variable that names that file, or unset it.";
    return [{ check, state: "warning", message: warnings.join("; "), cure }];
  }
  return file === undefined ? [] : [fine(check, "those that this machine names are trusted inside too")];
}
