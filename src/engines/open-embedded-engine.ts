// SPDX-License-Identifier: Apache-2.0
import { bubblewrapSandbox } from "./bubblewrap-sandbox.ts";
import { bundleSandbox } from "./bundle-sandbox.ts";
import { EmbeddedEngine } from "./embedded-engine.ts";
import type { Engine, EngineHost, EngineName } from "./engine.ts";
import { namespacesSandbox } from "./namespaces-sandbox.ts";

/** Makes the embedded runner with the sandbox of that name, whether or not that is installed. */
export function openEmbeddedEngine(
  name: Exclude<EngineName, "docker" | "podman" | "nerdctl">,
  host: EngineHost,
): Engine {
  switch (name) {
    case "bubblewrap":
      return new EmbeddedEngine(bubblewrapSandbox, host);
    case "namespaces":
      return new EmbeddedEngine(namespacesSandbox, host);
    case "crun":
    case "runc":
      return new EmbeddedEngine(bundleSandbox(name), host);
  }
}
