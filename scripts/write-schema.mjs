// SPDX-License-Identifier: Apache-2.0
// Writes schema/toolbox.schema.json from the compiled schema (`npm run schema`).
import { writeFile } from "node:fs/promises";

// By address and not by name: the types must be checkable before anything is compiled.
const compiled = new URL("../dist/workspace/json-schema.js", import.meta.url);
/** @type {{ workspaceJsonSchema: () => object }} */
const { workspaceJsonSchema } = await import(compiled.href);

const text = `${JSON.stringify(workspaceJsonSchema(), null, 2)}\n`;
await writeFile(new URL("../schema/toolbox.schema.json", import.meta.url), text);
