// SPDX-License-Identifier: Apache-2.0
/**
 * What carries a session out: docker, podman and nerdctl through their own clients, and the embedded runner, which
 * unpacks an image once and runs it with bubblewrap, plain namespaces or an OCI runtime.
 * Turns sessions into command lines (pure, golden-tested) and runs them with exact exit codes and signals.
 * Knows nothing of workspaces, registries' protocols or the command line.
 */
export { type CapturedRun, runCaptured } from "./captured-run.ts";
export { lookAtOutput } from "./client-output.ts";
export { bundleSession, type BundleSessionRequest } from "./bundle-session.ts";
export {
  type Engine,
  ENGINE_NAMES,
  type EngineHost,
  type EngineImage,
  type EngineName,
  type EngineStatus,
  type ImageSupply,
  type LaunchPlan,
  type RunOutcome,
  type WarmEngine,
  type WarmSession,
} from "./engine.ts";
export { systemFiles } from "./host-files.ts";
export { hasImageAtHand } from "./image-at-hand.ts";
export { quote } from "./launch-word.ts";
export { launchedSession, type LauncherRequest, renderLauncher } from "./launcher.ts";
export { type ProgramRunner, systemPrograms } from "./program-runner.ts";
export { recallFault } from "./remembered-status.ts";
export { EMBEDDED_NAMES, type EngineChoice, openEngine, selectEngine, useEngine } from "./select-engine.ts";
export { processSignals, type SignalSource } from "./signal-source.ts";
export { virtualMachineOf } from "./virtual-machine.ts";
