// SPDX-License-Identifier: Apache-2.0
// tsc keeps the shebang of the command's entry but not its mode.
import { chmod } from "node:fs/promises";

await chmod(new URL("../dist/cli/main.js", import.meta.url), 0o755);
