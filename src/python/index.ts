// SPDX-License-Identifier: Apache-2.0
/**
 * Compiles Python modules for an image, to the bytes that the image's own Python would write, on any host and without
 * running one of them. Knows CPython's caches of compiled modules (PEP 3147, PEP 552) and nothing of packages, wheels,
 * layers or images.
 */
export {
  type CompiledModule,
  compileModules,
  type CompileModulesOptions,
  type ModuleSource,
} from "./compile-modules.ts";
export { compiledPath, PYTHON_COMPILER, PYTHON_SERIES } from "./compiler.ts";
