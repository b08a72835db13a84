// SPDX-License-Identifier: Apache-2.0
import { z } from "zod";
import { toolDefinitionSchema } from "../catalog/index.ts";
import { definitionSchema, workspaceSchema } from "./workspace-schema.ts";

/** The JSON Schema (2020-12) of toolbox.yaml, for editors. */
export function workspaceJsonSchema(): Record<string, unknown> {
  return {
    title: "toolbox.yaml",
    description: "Which command-line tools a team wants in its images, and how they are run.",
    ...z.toJSONSchema(workspaceSchema, {
      io: "input",
      override: ({ zodSchema, jsonSchema }) => {
        if (zodSchema === definitionSchema) Object.assign(jsonSchema, inlineDefinition());
      },
    }),
  };
}

/** The catalog's schema of a tool; the name is the key that the definition stands below. */
function inlineDefinition(): Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(toolDefinitionSchema, { io: "input" });
  const { name: __, ...properties } = schema.properties ?? {};
  return {
    ...schema,
    propertyNames: undefined,
    properties,
    required: schema.required?.filter((key) => key !== "name") ?? [],
  };
}
