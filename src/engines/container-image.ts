// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import type { OperationOptions } from "../core/operation.ts";
import { encodedOf, formatReference, parseReference, writeDockerArchive } from "../oci/index.ts";
import type { SessionImage } from "../session/index.ts";
import type { ContainerDialect } from "./container-command.ts";
import type { EngineHost, EngineImage, ImageSupply } from "./engine.ts";
import { findInStore, findPlatformImage, imageMissing, type PlatformImage } from "./platform-image.ts";

/** A client program and what it is. */
export interface ContainerClient {
  readonly program: string;
  readonly dialect: ContainerDialect;
  readonly host: EngineHost;
}

/** What is wanted and where it can come from. */
export interface ImageRequest {
  readonly image: SessionImage;
  readonly supply: ImageSupply;
}

/**
 * Makes an engine hold an image: loaded from the local store, else pulled by digest by the engine itself.
 * The engine verifies what it pulls; what it loads is checked by its id, which is the digest of the config.
 *
 * @throws {ToolingError} `ENGINE_FAILED`, `IMAGE_NOT_FOUND`, `PLATFORM_UNAVAILABLE`
 */
export async function provideImage(
  client: ContainerClient,
  { image, supply }: ImageRequest,
  options: OperationOptions,
): Promise<EngineImage> {
  const rootless = await isRootless(client, options);
  const location = await provideLocation(client, { image, supply }, options);
  return { location, ...(rootless ? { rootless } : {}) };
}

async function provideLocation(
  client: ContainerClient,
  { image, supply }: ImageRequest,
  options: OperationOptions,
): Promise<string> {
  const pullName = image.reference === undefined ? undefined : nameByDigest(image.reference, image);
  if (pullName !== undefined && (await hasImage(client, pullName, options))) return pullName;
  if ((await findInStore(image, supply, options)) !== undefined) {
    return loadImage(client, await findPlatformImage(image, supply, options), options);
  }
  if (pullName === undefined) throw imageMissing(image);
  await pullImage(client, { name: pullName, platform: image.platform }, options);
  return pullName;
}

/** `docker.io/best-tools/tooling-k8s@sha256:...`: never the tag, which may have moved. */
function nameByDigest(reference: string, { digest }: SessionImage): string {
  const { registry, repository } = parseReference(reference);
  return formatReference({ registry, repository, digest });
}

async function loadImage(
  client: ContainerClient,
  image: PlatformImage,
  options: OperationOptions,
): Promise<string> {
  const { program, dialect, host } = client;
  const id = image.manifest.config.digest;
  // nerdctl finds a loaded image by name only; the others by id, which nobody can move.
  const name = `localhost/toolbox:${encodedOf(image.descriptor.digest).slice(0, 32)}`;
  const location = dialect === "nerdctl" ? name : dialect === "podman" ? encodedOf(id) : id;
  if (await hasImage(client, location, options)) return location;
  const what = `load into ${dialect}`;
  options.onProgress?.({ type: "started", what });
  const input = writeDockerArchive(
    image.source,
    [{ descriptor: image.descriptor, reference: name }],
    options,
  );
  const answer = await host.programs.capture(program, ["load"], {
    env: host.env,
    input,
    signal: options.signal,
  });
  if (answer.exitCode !== 0) throw engineFailed(client, "load the image", answer.stderr);
  options.onProgress?.({ type: "finished", what, skipped: false });
  if (await hasImage(client, location, options)) return location;
  throw engineFailed(client, "load the image", `it is not there as "${location}" afterwards`);
}

async function pullImage(
  client: ContainerClient,
  { name, platform }: { readonly name: string; readonly platform: string },
  { signal, onProgress }: OperationOptions,
): Promise<void> {
  const { program, host } = client;
  const what = `pull ${name}`;
  onProgress?.({ type: "started", what });
  const answer = await host.programs.capture(program, ["pull", `--platform=${platform}`, name], {
    env: host.env,
    signal,
    onErrorText: (text) => onProgress?.({ type: "noted", what, note: text.trim().split("\n").at(-1) ?? "" }),
  });
  if (answer.exitCode !== 0) throw engineFailed(client, `pull "${name}"`, answer.stderr);
  onProgress?.({ type: "finished", what, skipped: false });
}

async function hasImage(
  { program, host }: ContainerClient,
  name: string,
  { signal }: OperationOptions,
): Promise<boolean> {
  const { exitCode } = await host.programs.capture(program, ["image", "inspect", name], {
    env: host.env,
    signal,
  });
  return exitCode === 0;
}

/** Podman runs as whoever calls it; the daemons say so themselves. */
async function isRootless(
  { program, dialect, host }: ContainerClient,
  { signal }: OperationOptions,
): Promise<boolean> {
  if (dialect === "podman") return host.uid !== 0;
  const answer = await host.programs.capture(program, ["info", "--format={{json .SecurityOptions}}"], {
    env: host.env,
    signal,
  });
  return answer.stdout.includes("name=rootless");
}

function engineFailed({ dialect }: ContainerClient, task: string, stderr: string): ToolingError {
  const lines = stderr.split("\n").map((line) => line.trim());
  const reason = lines.findLast((line) => line !== "") ?? "it gave no reason";
  return new ToolingError("ENGINE_FAILED", `${dialect} could not ${task}: ${reason}`, {
    hint: `Try the same with ${dialect} itself, or choose another engine with --engine.`,
  });
}
