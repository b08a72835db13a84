// SPDX-License-Identifier: Apache-2.0
import type { RouteName } from "./route.ts";

/** One answered request. */
export interface ServedRequest {
  readonly method: string;
  /** `"none"` when the path was no endpoint. */
  readonly route: RouteName | "none";
  readonly status: number;
  readonly seconds: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Upper bounds of the classes of durations, in seconds. */
const BOUNDS = [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60];

/** Counts since the server started. Labels have few values, so clients cannot make it grow. */
export class Metrics {
  readonly #requests = new Map<string, number>();
  readonly #classes = BOUNDS.map(() => 0);
  #count = 0;
  #seconds = 0;
  #bytesIn = 0;
  #bytesOut = 0;
  #collectedBytes = 0;
  #sending = 0;

  recordRequest({ method, route, status, seconds, bytesIn, bytesOut }: ServedRequest): void {
    const known = KNOWN_METHODS.has(method) ? method : "other";
    const labels = `method="${known}",route="${route}",status="${status}"`;
    this.#requests.set(labels, (this.#requests.get(labels) ?? 0) + 1);
    for (const [index, bound] of BOUNDS.entries()) {
      if (seconds <= bound) this.#classes[index] = (this.#classes[index] ?? 0) + 1;
    }
    this.#count += 1;
    this.#seconds += seconds;
    this.#bytesIn += bytesIn;
    this.#bytesOut += bytesOut;
  }

  /** Runs `work`, which sends a blob, and tells it how many are being sent now, this one too. */
  async whileSending(work: (clients: number) => Promise<void>): Promise<void> {
    this.#sending += 1;
    try {
      await work(this.#sending);
    } finally {
      this.#sending -= 1;
    }
  }

  recordCollected(bytes: number): void {
    this.#collectedBytes += bytes;
  }

  /** The text format of Prometheus, version 0.0.4. */
  format({ openUploads }: { readonly openUploads: number }): string {
    const lines = [
      "# HELP toolbox_registry_requests_total Requests answered.",
      "# TYPE toolbox_registry_requests_total counter",
      ...[...this.#requests].map(([labels, count]) => `toolbox_registry_requests_total{${labels}} ${count}`),
      "# HELP toolbox_registry_request_seconds Time from the first byte of a request to the last of its answer.",
      "# TYPE toolbox_registry_request_seconds histogram",
      ...BOUNDS.map((bound, index) => formatClass(String(bound), this.#classes[index] ?? 0)),
      formatClass("+Inf", this.#count),
      `toolbox_registry_request_seconds_sum ${this.#seconds}`,
      `toolbox_registry_request_seconds_count ${this.#count}`,
      ...formatSingle("received_bytes_total", "counter", "Bytes of request bodies.", this.#bytesIn),
      ...formatSingle("sent_bytes_total", "counter", "Bytes of answer bodies.", this.#bytesOut),
      ...formatSingle("collected_bytes_total", "counter", "Bytes removed as garbage.", this.#collectedBytes),
      ...formatSingle("sending_blobs", "gauge", "Blobs that are being sent.", this.#sending),
      ...formatSingle("open_uploads", "gauge", "Uploads that are open.", openUploads),
      ...formatSingle("resident_memory_bytes", "gauge", "Memory of the process.", process.memoryUsage.rss()),
    ];
    return `${lines.join("\n")}\n`;
  }
}

const KNOWN_METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);

function formatClass(bound: string, count: number): string {
  return `toolbox_registry_request_seconds_bucket{le="${bound}"} ${count}`;
}

function formatSingle(name: string, type: string, help: string, value: number): string[] {
  const full = `toolbox_registry_${name}`;
  return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, `${full} ${value}`];
}
