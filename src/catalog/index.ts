// SPDX-License-Identifier: Apache-2.0
/**
 * What tools there are: definitions (ours and the user's, same schema) and the words for what one resolved to.
 * Knows YAML and the shape of every source; knows nothing of networks, caches, images or the workspace.
 */
export {
  loadCatalog,
  loadGoToolchains,
  openCatalog,
  parseToolDefinition,
  type ToolCatalog,
} from "./load-catalog.ts";
export {
  type LockedDebian,
  type LockedFile,
  type LockedGo,
  type LockedImage,
  type LockedLocalFile,
  type LockedNpm,
  type LockedPackage,
  lockedPackageSchema,
  type LockedPypi,
  type LockedRelease,
  type LockedTool,
  type LockedToolPlatform,
  lockedToolPlatformSchema,
  lockedToolSchema,
  type LockedWheel,
} from "./locked-tool.ts";
export { type BundledModule, type LockedModule } from "./locked-module.ts";
export { goHashSchema, type GoToolchain, goToolchainsSchema } from "./go-toolchain.ts";
export {
  type DebianSourceDefinition,
  type ExecStep,
  type FileSourceDefinition,
  type GoSourceDefinition,
  type ImagePath,
  type ImageSourceDefinition,
  type PypiSourceDefinition,
  type ReleaseArchive,
  type ReleaseChecksums,
  type ReleaseSourceDefinition,
  type ReleaseVersions,
  SOURCE_KINDS,
  type SourceDefinition,
  sourceDefinitionSchema,
  type SourceKind,
} from "./source-definition.ts";
export type { NpmSourceDefinition } from "./npm-source-definition.ts";
export {
  type ToolAbout,
  toolAboutSchema,
  type ToolCompletions,
  type ToolDefinition,
  toolDefinitionSchema,
  type ToolExample,
  toolNameSchema,
  type VersionCheck,
} from "./tool-definition.ts";
export type { ToolTest } from "./tool-test.ts";
export { parseYamlText, type YamlPath, type YamlText } from "./yaml-text.ts";
export {
  bareVersion,
  compareVersions,
  isExactVersion,
  isVersionRange,
  satisfiesRange,
  selectVersion,
} from "./version-range.ts";
