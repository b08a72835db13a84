// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { type Stats, statSync } from "node:fs";
import { readFile, rm, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { isSystemError, ToolingError } from "../core/error.ts";
import type { OperationOptions } from "../core/operation.ts";
import { HOME_FOLDER, type Session, WORK_FOLDER, workspaceKey } from "../session/index.ts";
import { clientEnvironment, type ContainerDialect, type RenderOptions } from "./container-command.ts";
import type { EngineHost, EngineImage, RunOutcome, WarmEngine, WarmLaunch, WarmSession } from "./engine.ts";
import { NOTE_MARK } from "./launch-word.ts";
import { endpointOf } from "./held-image.ts";
import { findInit } from "./host-tools.ts";
import { prepareSession } from "./prepare-session.ts";
import { makeFolders } from "./private-copy.ts";
import type { CapturedProgram, ForegroundProgram } from "./program-runner.ts";
import { refuseRootlessLimits } from "./refuse-limits.ts";
import { runForeground } from "./run-foreground.ts";
import type { ForwardedSignal } from "./signal-source.ts";
import {
  renderWarmExec,
  renderWarmSignal,
  renderWarmStart,
  WARM_FOLDER,
  WARM_LABELS,
  warmKey,
  warmName,
} from "./warm-command.ts";

/** Milliseconds that a command has to note its number before a signal goes to the client instead. */
const PID_TIMEOUT = 2000;

/** Where one session's warm container is, or would be. */
interface WarmPlace {
  readonly key: string;
  readonly name: string;
  readonly workspace: string;
  /** Host path of the session's HOME. */
  readonly home: string;
  readonly render: RenderOptions;
}

/** Warm containers of docker, podman or nerdctl. */
export class ContainerWarmth implements WarmEngine {
  readonly #name: ContainerDialect;
  readonly #host: EngineHost;

  constructor(name: ContainerDialect, host: EngineHost) {
    this.#name = name;
    this.#host = host;
  }

  async up(
    wanted: Session,
    image: EngineImage,
    { idle, signal }: OperationOptions & { readonly idle: number },
  ): Promise<WarmSession & { readonly started: boolean }> {
    const session = await prepareSession(wanted, this.#host.stateDir);
    const place = await this.#placeOf(session, image);
    if (place === undefined) {
      throw new ToolingError("SESSION_INVALID", "a session of another user cannot be kept warm", {
        hint: "Leave --root out.",
      });
    }
    const known = (await this.list({ signal })).find(({ name }) => name === place.name);
    if (known === undefined) {
      if (place.render.rootless) await refuseRootlessLimits(session, this.#name);
      await makeFolders(place.home, WARM_FOLDER, `${HOME_FOLDER}/${WARM_FOLDER}`);
      const plan = { key: place.key, name: place.name, workspace: place.workspace, idle };
      const argv = renderWarmStart(session, { location: image.location, plan }, place.render);
      const answer = await this.#capture(argv, signal);
      if (answer.exitCode !== 0) throw this.#failed("keep a container warm", answer.stderr);
    }
    await writeFile(markerOf(place), "up\n", { mode: 0o600 });
    const { name, key, workspace } = place;
    const { reference, digest } = session.image;
    return known === undefined
      ? { name, key, workspace, image: reference ?? digest, status: "running", started: true }
      : { ...known, started: false };
  }

  async run(session: Session, image: EngineImage): Promise<RunOutcome | undefined> {
    // Without a terminal of the command's own, Ctrl-C would end the client and leave the command running.
    if (!session.tty && this.#host.hasTerminal) return undefined;
    const place = await this.#placeOf(session, image);
    if (place === undefined || !isMarked(place)) return undefined;
    const file = randomUUID();
    const pidFile = join(place.home, WARM_FOLDER, file);
    const argv = renderWarmExec(session, place.name, `${HOME_FOLDER}/${WARM_FOLDER}/${file}`);
    const deliver = async (signal: ForwardedSignal, program: ForegroundProgram): Promise<void> => {
      const pid = await readPid(pidFile);
      if (pid === undefined) program.kill(signal);
      else await this.#capture(renderWarmSignal(place.name, signal, pid));
    };
    const env = clientEnvironment(this.#host, session);
    const endLeftBehind = async (): Promise<boolean> => {
      const pid = await readPid(pidFile);
      if (pid === undefined) return false;
      return (await this.#capture(renderWarmSignal(place.name, "SIGPIPE", pid))).exitCode === 0;
    };
    const command = { program: await this.#find(), argv, env, deliver, endLeftBehind };
    const outcome = await runForeground(command, this.#host);
    if (await removeIfThere(pidFile)) return outcome;
    // The command never started: the container went away without a word, as after a restart of the engine.
    await rm(markerOf(place), { force: true });
    return undefined;
  }

  async plan(session: Session, image: EngineImage): Promise<WarmLaunch | undefined> {
    const place = await this.#placeOf(session, image);
    if (place === undefined) return undefined;
    const found = session.mounts.map(({ source }) => statIfThere(source));
    const places = session.mounts.map(({ source }, index) => ({
      path: source,
      identity: `${found[index]?.dev}:${found[index]?.ino}`,
    }));
    return {
      argv: renderWarmExec(session, place.name, `${HOME_FOLDER}/${WARM_FOLDER}/${NOTE_MARK}`),
      container: place.name,
      marker: markerOf(place),
      notes: join(place.home, WARM_FOLDER),
      places,
    };
  }

  async list({ signal }: OperationOptions = {}): Promise<WarmSession[]> {
    const filter = `--filter=label=${WARM_LABELS.session}`;
    const found = await this.#capture(["ps", "--quiet", "--no-trunc", filter], signal);
    if (found.exitCode !== 0) throw this.#failed("list its containers", found.stderr);
    const ids = found.stdout.split("\n").filter((id) => id !== "");
    if (ids.length === 0) return [];
    const format = "--format={{json .Name}} {{json .State.Status}} {{json .Config.Labels}}";
    // One that ends between these two is left out, and makes the exit code 1.
    const { stdout } = await this.#capture(["inspect", format, ...ids], signal);
    return stdout
      .split("\n")
      .filter((line) => line !== "")
      .map(readWarmSession)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async down(sessions: readonly WarmSession[], { signal }: OperationOptions = {}): Promise<void> {
    if (sessions.length === 0) return;
    for (const { workspace, key } of sessions) {
      const home = join(this.#host.stateDir, "homes", workspaceKey(workspace));
      await rm(join(home, WARM_FOLDER, key), { force: true });
    }
    const names = sessions.map(({ name }) => name);
    const answer = await this.#capture(["stop", "--time=5", ...names], signal);
    if (answer.exitCode !== 0 && !/no such container/i.test(answer.stderr)) {
      throw this.#failed("stop its containers", answer.stderr);
    }
  }

  async logs({ name }: WarmSession, { follow = false } = {}): Promise<RunOutcome> {
    const argv = ["logs", ...(follow ? ["--follow"] : []), name];
    const command = { program: await this.#find(), argv, env: this.#host.env, endLeftBehind: noneLeft };
    return runForeground(command, this.#host);
  }

  async #placeOf(session: Session, { rootless = false }: EngineImage): Promise<WarmPlace | undefined> {
    const home = session.mounts.find(({ target }) => target === HOME_FOLDER)?.source;
    const workspace = session.mounts.find(({ target }) => target === WORK_FOLDER)?.source;
    // Another user could not write into the caller's private HOME, which is where both sides meet.
    if (home === undefined || workspace === undefined || session.user.uid !== this.#host.uid)
      return undefined;
    const render: RenderOptions = {
      dialect: this.#name,
      rootless,
      selinux: this.#host.selinux ?? false,
      init: this.#name === "podman" ? await findInit(this.#host) : undefined,
    };
    // A file that was replaced on the host is still the old one in a container that runs.
    const files = session.mounts.map(({ source }) => identify(source));
    const key = warmKey(session, render, [endpointOf(this.#host), ...files]);
    return { key, name: warmName(workspace, key), workspace, home, render };
  }

  async #find(): Promise<string> {
    const program = await this.#host.programs.find(this.#name, this.#host.env["PATH"]);
    if (program !== undefined) return program;
    throw new ToolingError("ENGINE_NOT_FOUND", `"${this.#name}" is not installed`, {
      hint: "Install it, or choose another engine with --engine.",
    });
  }

  async #capture(argv: readonly string[], signal?: AbortSignal): Promise<CapturedProgram> {
    const { env, programs } = this.#host;
    return programs.capture(await this.#find(), argv, { env, signal });
  }

  #failed(task: string, stderr: string): ToolingError {
    const lines = stderr.split("\n").map((line) => line.trim());
    const reason = lines.find((line) => line !== "") ?? "it gave no reason";
    return new ToolingError("ENGINE_FAILED", `${this.#name} could not ${task}: ${reason}`, {
      hint: `See what "${this.#name} ps" says, or go without: every command starts a container of its own.`,
    });
  }
}

/** `logs` leaves nothing behind: it only complains. */
async function noneLeft(): Promise<boolean> {
  return Promise.resolve(false);
}

function markerOf({ home, key }: WarmPlace): string {
  return join(home, WARM_FOLDER, key);
}

function isMarked(place: WarmPlace): boolean {
  const found = statIfThere(markerOf(place));
  return found !== undefined && found.isFile() && found.size > 0;
}

function identify(path: string): string {
  const found = statIfThere(path);
  return found === undefined ? path : `${path} ${found.dev}:${found.ino}`;
}

function statIfThere(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

async function removeIfThere(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return false;
    throw error;
  }
}

async function readPid(file: string): Promise<string | undefined> {
  for (const end = performance.now() + PID_TIMEOUT; performance.now() < end; await wait(20)) {
    const text = await readFile(file, "utf8").catch(() => "");
    const pid = /^(\d+)\n/.exec(text)?.[1];
    if (pid !== undefined) return pid;
  }
  return undefined;
}

function readWarmSession(line: string): WarmSession {
  const parts = /^("(?:[^"\\]|\\.)*") ("(?:[^"\\]|\\.)*") (.*)$/.exec(line);
  const [name = "", status = "", labels = {}] = (parts?.slice(1) ?? []).map(
    (part) => JSON.parse(part) as unknown,
  ) as [string?, string?, Record<string, string>?];
  return {
    name: name.replace(/^\//, ""),
    status,
    key: labels[WARM_LABELS.session] ?? "",
    workspace: labels[WARM_LABELS.workspace] ?? "",
    image: labels[WARM_LABELS.image] ?? "",
  };
}
