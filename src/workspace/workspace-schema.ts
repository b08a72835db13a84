// SPDX-License-Identifier: Apache-2.0
import { z } from "zod";
import { PULL_SIZE, parsePullSize } from "./pull-size.ts";
import { compressionSchema } from "./compression-schema.ts";
import { sessionSchema } from "./session-wish.ts";

/** A tool's name: lower-case words, as in `kubectl` or `yq-go`. */
const TOOL_NAME: RegExp = /^[a-z0-9][a-z0-9._+-]*$/;
/** One part of a repository name (distribution-spec v1.1, "Pulling manifests"). */
const IMAGE_NAME = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$/;

const toolName = z
  .string()
  .regex(TOOL_NAME, "must be a tool name: lower-case letters, digits, dots and dashes");
const imageName = z
  .string()
  .regex(IMAGE_NAME, "must be an image name: lower-case letters, digits, dots and dashes");
const range = z
  .string()
  .trim()
  .min(1)
  .describe('Which versions are wanted: "1.34", "^3.19", "~1.2", ">=2 <3", "*"');

/** A tool definition of the user's own; the catalog's schema checks what it holds. */
export const definitionSchema: z.ZodRecord<z.ZodString, z.ZodUnknown> = z.record(z.string(), z.unknown());

const detailedWish = z.strictObject({
  version: range.optional(),
  source: z
    .enum(["debian", "file", "go", "image", "npm", "pypi", "release"])
    .optional()
    .describe("Which of the tool's sources to take. Default: the first that has every platform"),
  path: z
    .union([
      z.string().min(1),
      z.strictObject({
        "linux/amd64": z.string().min(1).optional(),
        "linux/arm64": z.string().min(1).optional(),
      }),
    ])
    .optional()
    .describe("For source file: a path, or one per platform, relative to toolbox.yaml"),
  summary: z.string().min(1).optional(),
  homepage: z
    .string()
    .regex(/^https?:\/\/\S+$/, "must be an http or https address")
    .optional(),
  license: z.string().optional().describe("SPDX expression"),
  binaries: z.array(z.string().min(1)).min(1).optional(),
  check: z
    .strictObject({ args: z.array(z.string()), contains: z.string().min(1) })
    .optional()
    .describe("How to ask the tool for its version, and what the answer holds"),
  definition: definitionSchema
    .optional()
    .describe("A whole tool definition of your own, as in the catalog, without its name"),
});

const wish = z.union([range, detailedWish]);

const base = z.union([
  z.strictObject({
    debian: z
      .string()
      .regex(/^[a-z][a-z0-9-]*$/, "must be a Debian suite name")
      .describe("Suite, such as trixie"),
    packages: z.array(z.string().regex(/^[a-z0-9][a-z0-9.+-]+$/, "must be a Debian package name")).optional(),
  }),
  z.strictObject({ image: z.string().min(1).describe("Image reference; the lock pins its digest") }),
]);

const image = z.strictObject({
  extends: imageName.optional().describe("Another image of this file whose layers come first"),
  tools: z.array(toolName).optional(),
  title: z.string().min(1).optional().describe("One line for people, shown by registries and the help"),
  budget: z
    .string()
    .regex(PULL_SIZE, 'must look like "300MB" or "1.2GB"')
    .refine((text) => parsePullSize(text) !== undefined, "must be more than nothing")
    .optional()
    .describe(
      "What a pull of one platform may weigh (compressed), such as 300MB; a build that passes it fails",
    ),
});

const addresses = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);
const mirrors = z.strictObject({
  debian: addresses.optional().describe("Debian mirror. Default: the apt sources of this machine"),
  go: addresses.optional().describe("Go module proxy. Default: what `go env GOPROXY` says on this machine"),
  goSum: z.string().min(1).optional().describe("Go checksum database. Default: what `go env GOSUMDB` says"),
  npm: addresses.optional().describe("npm registry. Default: the npm configuration of this machine"),
  pypi: addresses.optional().describe("Python index. Default: the pip configuration of this machine"),
  release: z
    .record(z.string(), z.string().min(1))
    .optional()
    .describe("Address prefixes of upstream release files, each with the prefix to use instead"),
});

/** toolbox.yaml as people write it. The JSON Schema in schema/ is generated from this. */
export const workspaceSchema = z.strictObject({
  $schema: z.string().optional(),
  registry: z.string().min(1).optional().describe("Registry and path that images are published below"),
  platforms: z
    .array(z.enum(["linux/amd64", "linux/arm64"]))
    .min(1)
    .optional()
    .describe("Default: both"),
  base: base.optional().describe("What all images start from"),
  tools: z.record(toolName, wish).optional().describe("Wishes by tool name; the lock holds the answers"),
  images: z.record(imageName, image).optional().describe("The images of this workspace, by name"),
  mirrors: mirrors
    .optional()
    .describe("Where to download from. Default: the settings of this machine's own clients"),
  use: z.string().min(1).optional().describe("Image reference to run tools from; the lock pins its digest"),
  session: sessionSchema.optional().describe("What a command that runs in the image may see"),
  compression: compressionSchema
    .optional()
    .describe("Of layers: a name, or algorithm and level. Default gzip at level 6, which every engine reads"),
});

/** toolbox.yaml as written, once it is known to be well-formed. */
export type WorkspaceFile = z.infer<typeof workspaceSchema>;
/** One tool as written, in its longer form. */
export type DetailedWish = z.infer<typeof detailedWish>;
/** `mirrors:` as written. */
export type MirrorWishes = z.infer<typeof mirrors>;
