// SPDX-License-Identifier: Apache-2.0
import type { Kubeconfig, KubeconfigEntry } from "./kubeconfig.ts";

/** What people switch in a kubeconfig. */
export interface KubeconfigChoices {
  /** The current one. Absent: none is. */
  readonly context?: string | undefined;
  /** Pairs of a context and its namespace; a context without one has an empty text. */
  readonly namespaces: readonly (readonly [string, string])[];
}

const NO_CHOICES: KubeconfigChoices = { namespaces: [] };

/** The choices in the text of a kubeconfig. What is none holds no choice. */
export async function readChoices(text: string): Promise<KubeconfigChoices> {
  const config = await readKubeconfig(text);
  if (config === undefined) return NO_CHOICES;
  return {
    context: config.currentContext,
    namespaces: config.contexts.map((entry) => [entry.name, namespaceOf(entry)]),
  };
}

/** Choices that were written down as JSON. Anything else is none. */
export function parseChoices(text: string): KubeconfigChoices {
  try {
    const { context, namespaces } = JSON.parse(text) as Record<string, unknown>;
    if (!Array.isArray(namespaces)) return NO_CHOICES;
    return {
      context: typeof context === "string" ? context : undefined,
      namespaces: namespaces.filter(isPair),
    };
  } catch {
    return NO_CHOICES;
  }
}

function isPair(value: unknown): value is [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === "string");
}

/**
 * A kubeconfig that was made anew from the host's, with the choices that were made in the private copy before: a switch
 * must not be undone because a token was renewed. Where the host has switched since as well, the host is followed.
 *
 * @param content The new kubeconfig.
 * @param was The choices of the one that the private copy was made from.
 * @param now The choices in the private copy. A context that the host has no longer stays chosen: an error is better
 * than a command that reaches another cluster.
 */
export async function keepChoices(
  content: string,
  was: KubeconfigChoices,
  now: KubeconfigChoices,
): Promise<string> {
  const config = await readKubeconfig(content);
  if (config === undefined) return content;
  const [before, chosen] = [new Map(was.namespaces), new Map(now.namespaces)];
  const contexts = config.contexts.map((entry): KubeconfigEntry => {
    const own = namespaceOf(entry);
    const namespace = decide(own, before.get(entry.name), chosen.get(entry.name) ?? own);
    return namespace === own ? entry : { ...entry, body: { ...entry.body, namespace } };
  });
  const currentContext = decide(config.currentContext, was.context, now.context);
  return (await import("./kubeconfig.ts")).formatKubeconfig({ ...config, contexts, currentContext });
}

function decide<T>(next: T, was: T | undefined, now: T): T {
  return next === was ? now : next;
}

function namespaceOf({ body }: KubeconfigEntry): string {
  const { namespace } = body;
  return typeof namespace === "string" ? namespace : "";
}

/** The YAML library takes long to load, so only a kubeconfig waits for it. */
async function readKubeconfig(text: string): Promise<Kubeconfig | undefined> {
  const { mergeKubeconfigs } = await import("./kubeconfig.ts");
  try {
    return mergeKubeconfigs([{ path: "/config", text }]);
  } catch {
    return undefined;
  }
}
