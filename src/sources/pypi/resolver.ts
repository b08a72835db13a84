// SPDX-License-Identifier: Apache-2.0
import type { Candidate } from "./candidates.ts";
import type { CoreMetadata } from "./core-metadata.ts";
import { type Demand, listDemands, projectOf } from "./demand.ts";
import { evaluateMarker, type MarkerEnvironment } from "./marker.ts";
import type { Requirement } from "./requirement.ts";
import type { Specifier } from "./specifier.ts";

/** Where the resolver learns of releases. The same answers always give the same result. */
export interface ReleaseIndex {
  /** Releases that the target can take and that satisfy every clause, newest first. */
  findCandidates(project: string, specifiers: readonly Specifier[]): Promise<readonly Candidate[]>;
  /** Absent: the release is unusable (damaged metadata, another Python). */
  readMetadata(candidate: Candidate): Promise<CoreMetadata | undefined>;
  /**
   * The error for demands that no release satisfies.
   *
   * @param demands All on one project; at least one.
   */
  describeConflict(demands: readonly Demand[]): Promise<Error>;
}

/** A choice and what it makes necessary. */
interface Decision {
  readonly node: string;
  readonly candidate: Candidate;
  readonly demands: readonly Demand[];
}

/** A choice that is being made: what was tried, and whose fault it was that it did not do. */
interface Frame {
  readonly node: string;
  readonly candidates: readonly Candidate[];
  next: number;
  readonly culprits: Set<string>;
}

/** What trying a candidate came to. */
type Trial =
  | { readonly decision: Decision }
  | { readonly culprits: readonly string[] }
  | { readonly late: string };

/** Each step reads at most one METADATA file; real closures take a few per package. */
const MOST_STEPS = 20_000;

/**
 * Chooses one release of each project that `roots` need, newest first, going back where releases exclude each other.
 * A release that is too new for a later demand is chosen again before the one that demands it is given up, so that
 * the nearer dependency stays as new as it can be (as pip does).
 *
 * @returns sorted by project
 * @throws what `index.describeConflict` makes of the first demands that cannot be met together
 */
export async function resolveRequirements(
  roots: readonly Requirement[],
  environment: MarkerEnvironment,
  index: ReleaseIndex,
): Promise<readonly Candidate[]> {
  const needed = roots.filter(({ marker }) => marker === undefined || evaluateMarker(marker, environment));
  const resolution = new Resolution(
    needed.flatMap((root) => listDemands(root, [])),
    environment,
    index,
  );
  return await resolution.run();
}

class Resolution {
  readonly #roots: readonly Demand[];
  readonly #environment: MarkerEnvironment;
  readonly #index: ReleaseIndex;
  readonly #decisions = new Map<string, Decision>();
  /** Nodes whose choice waits for the others, because a later demand did not like an early one. */
  readonly #late = new Map<string, number>();
  readonly #delays = new Set<string>();
  #firstConflict: readonly Demand[] | undefined;

  constructor(roots: readonly Demand[], environment: MarkerEnvironment, index: ReleaseIndex) {
    this.#roots = roots;
    this.#environment = environment;
    this.#index = index;
  }

  async run(): Promise<readonly Candidate[]> {
    const frames: Frame[] = [];
    let frame = await this.#openNext();
    for (let steps = 0; frame !== undefined; steps += 1) {
      if (steps > MOST_STEPS) throw await this.#failure();
      const trial = await this.#tryNext(frame);
      if (trial === undefined) {
        frame = this.#goBack(frames, frame);
        if (frame === undefined) throw await this.#failure();
      } else if ("decision" in trial) {
        this.#decisions.set(frame.node, trial.decision);
        frames.push(frame);
        frame = await this.#openNext();
      } else if ("late" in trial) {
        this.#dropFrom(frames, trial.late);
        frame = await this.#openNext();
      } else {
        for (const culprit of trial.culprits) frame.culprits.add(culprit);
      }
    }
    const chosen = [...this.#decisions.values()].filter(({ node }) => projectOf(node) === node);
    return chosen.map(({ candidate }) => candidate).toSorted((a, b) => (a.project < b.project ? -1 : 1));
  }

  /** The next node that is demanded and not chosen: those that wait come last, else in the order of discovery. */
  async #openNext(): Promise<Frame | undefined> {
    const open = [...new Set(this.#demands().map(({ node }) => node))].filter(
      (node) => !this.#decisions.has(node),
    );
    const [node] = open.toSorted((a, b) => (this.#late.get(a) ?? 0) - (this.#late.get(b) ?? 0));
    if (node === undefined) return undefined;
    const demands = this.#demandsOn(node);
    const found = await this.#findCandidates(demands);
    if (found.length === 0) this.#firstConflict ??= demands;
    const culprits = new Set(originsOf(demands));
    const chosen = this.#decisions.get(projectOf(node));
    if (chosen === undefined) return { node, candidates: found, next: 0, culprits };
    // An extra is the same release as its project.
    const candidates = found.filter(({ version }) => version.text === chosen.candidate.version.text);
    return { node, candidates, next: 0, culprits: culprits.add(chosen.node) };
  }

  async #tryNext(frame: Frame): Promise<Trial | undefined> {
    const candidate = frame.candidates[frame.next];
    if (candidate === undefined) return undefined;
    frame.next += 1;
    const metadata = await this.#index.readMetadata(candidate);
    if (metadata === undefined) return { culprits: [] };
    const decision = this.#decide(frame.node, candidate, metadata);
    for (const demand of decision.demands) {
      const trial = await this.#check(demand, decision);
      if (trial !== undefined) return trial;
    }
    return { decision };
  }

  #decide(node: string, candidate: Candidate, { requirements }: CoreMetadata): Decision {
    const project = projectOf(node);
    const extra = node === project ? "" : node.slice(project.length + 1, -1);
    const environment = { ...this.#environment, extra };
    const needed = requirements.filter(
      ({ marker }) => marker === undefined || evaluateMarker(marker, environment),
    );
    const [demand] = this.#demandsOn(node);
    const path = [...(demand?.path ?? []), { node, version: candidate.version.text }];
    const demands = needed.flatMap((requirement) => listDemands(requirement, path));
    if (extra === "") return { node, candidate, demands };
    // An extra is the same release as its project.
    const same: Specifier = { operator: "===", text: candidate.version.text, isPrefix: false };
    return {
      node,
      candidate,
      demands: [...listDemands({ project, extras: [], specifiers: [same] }, path), ...demands],
    };
  }

  /** Whether a new demand goes with what is chosen and demanded so far. */
  async #check(demand: Demand, { node, candidate }: Decision): Promise<Trial | undefined> {
    const others = this.#demandsOn(demand.node);
    const candidates = await this.#findCandidates([...others, demand]);
    if (candidates.length === 0) {
      this.#firstConflict ??= [...others, demand];
      return { culprits: originsOf(others) };
    }
    const isOwn = projectOf(demand.node) === candidate.project;
    const chosen = isOwn ? candidate : this.#decisions.get(demand.node)?.candidate;
    if (chosen === undefined || candidates.some(({ version }) => version.text === chosen.version.text))
      return undefined;
    // A release that does not go with itself is nobody else's fault.
    if (isOwn) return { culprits: [] };
    const delay = `${node} ${demand.node}`;
    if (this.#delays.has(delay)) return { culprits: [demand.node] };
    this.#delays.add(delay);
    this.#late.set(demand.node, (this.#late.get(demand.node) ?? 0) + 1);
    return { late: demand.node };
  }

  /** Gives up choices until one of those that are to blame is undone, which is then made otherwise. */
  #goBack(frames: Frame[], { culprits }: Frame): Frame | undefined {
    for (let last = frames.pop(); last !== undefined; last = frames.pop()) {
      this.#decisions.delete(last.node);
      if (!culprits.has(last.node)) continue;
      for (const culprit of culprits) if (culprit !== last.node) last.culprits.add(culprit);
      return last;
    }
    return undefined;
  }

  #dropFrom(frames: Frame[], node: string): void {
    for (let last = frames.pop(); last !== undefined; last = frames.pop()) {
      this.#decisions.delete(last.node);
      if (last.node === node) return;
    }
  }

  #demands(): readonly Demand[] {
    return [...this.#roots, ...[...this.#decisions.values()].flatMap(({ demands }) => demands)];
  }

  /** What is demanded of a node; of an extra also what is demanded of its project. */
  #demandsOn(node: string): readonly Demand[] {
    const project = projectOf(node);
    return this.#demands().filter((demand) => demand.node === node || demand.node === project);
  }

  async #findCandidates(demands: readonly Demand[]): Promise<readonly Candidate[]> {
    const [first] = demands;
    if (first === undefined || demands.some(({ url }) => url !== undefined)) return [];
    const specifiers = demands.flatMap((demand) => demand.specifiers);
    return await this.#index.findCandidates(projectOf(first.node), specifiers);
  }

  async #failure(): Promise<Error> {
    return await this.#index.describeConflict(this.#firstConflict ?? this.#roots);
  }
}

/** The choices that made demands. */
function originsOf(demands: readonly Demand[]): readonly string[] {
  return demands.flatMap(({ path }) => path.slice(-1).map(({ node }) => node));
}
