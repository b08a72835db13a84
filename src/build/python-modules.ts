// SPDX-License-Identifier: Apache-2.0
import { type ArchiveEntry, type FileEntry, sortEntries } from "../archive/index.ts";
import { compiledPath, compileModules, type CompileModulesOptions, PYTHON_SERIES } from "../python/index.ts";
import type { LayerFiles } from "./layer-sources.ts";

/** Where modules of one series stand: its standard library, and virtual environments. */
const OWN_FOLDER = /^(?:usr|opt\/[^/]+)\/lib\/python(3\.\d+)\//;
/** Where those of Debian's packages stand, whatever the series. */
const SHARED_FOLDER = "usr/lib/python3/";
const STANDARD_LIBRARY = /^usr\/lib\/python(3\.\d+)\/os\.py$/;
/** Tests of libraries, which no program imports. */
const TESTS = /\/tests\//;

/**
 * Adds the compiled form of Python modules to the files of a layer, as dpkg's and pip's installations have it: without it
 * a command compiles all that it imports, each time it is run. Nobody compiles modules of series that we have no
 * compiler for, or modules outside of the folders that programs import from.
 *
 * @param basePaths Paths of the base below the layer, asked for when the Python that its modules are for may be there.
 * @throws {ToolingError} `BUILD_FAILED`, `DISK_FULL`, `FILE_UNWRITABLE`
 */
export async function addCompiledModules<Files extends LayerFiles>(
  files: Files,
  basePaths: () => Promise<Iterable<string>>,
  options: CompileModulesOptions,
): Promise<Files> {
  const modules = await listModules(files.entries, basePaths);
  if (modules.length === 0) return files;
  const sources = modules.map(({ path, size, open }) => ({ path: `/${path}`, size, open }));
  const compiled = await compileModules(sources, options);
  const added = modules.flatMap(({ path, uid, gid }): FileEntry[] => {
    const content = compiled.get(`/${path}`);
    const entry = { type: "file", path: compiledPath(path), mode: 0o644, uid, gid } as const;
    return content === undefined ? [] : [{ ...entry, ...content }];
  });
  return { ...files, entries: sortEntries([...files.entries, ...added]) };
}

async function listModules(
  entries: readonly ArchiveEntry[],
  basePaths: () => Promise<Iterable<string>>,
): Promise<FileEntry[]> {
  const paths = new Set(entries.map(({ path }) => path));
  const modules = entries.filter(
    (entry): entry is FileEntry =>
      entry.type === "file" && entry.path.endsWith(".py") && !paths.has(compiledPath(entry.path)),
  );
  const shared = modules.some(({ path }) => path.startsWith(SHARED_FOLDER))
    ? (findSeries(paths) ?? findSeries(await basePaths()))
    : undefined;
  return modules.filter(({ path }) => {
    const series = path.startsWith(SHARED_FOLDER) ? shared : OWN_FOLDER.exec(path)?.[1];
    return series === PYTHON_SERIES && !TESTS.test(path);
  });
}

/** The series of the Python that stands among paths. Absent: there is none, or more than one. */
function findSeries(paths: Iterable<string>): string | undefined {
  const found = new Set<string>();
  for (const path of paths) {
    const series = STANDARD_LIBRARY.exec(path)?.[1];
    if (series !== undefined) found.add(series);
  }
  const [series] = found;
  return found.size === 1 ? series : undefined;
}
