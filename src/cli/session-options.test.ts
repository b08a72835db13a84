// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { readSessionOptions } from "./session-options.ts";

describe("options of a session", () => {
  test("add nothing when none is given", () => {
    expect(readSessionOptions({})).toEqual({
      context: undefined,
      namespace: undefined,
      mounts: [],
      ports: [],
      network: undefined,
      limits: { memory: undefined, cpus: undefined, pids: undefined },
    });
  });

  test.each([
    ["512m", 512 * 1024 ** 2],
    ["2g", 2 * 1024 ** 3],
    ["1.5GiB", 1.5 * 1024 ** 3],
    ["100kb", 102_400],
    ["4096", 4096],
  ])("read the memory %s", (memory, bytes) => {
    expect(readSessionOptions({ memory }).limits?.memory).toBe(bytes);
  });

  test("read CPUs and processes", () => {
    expect(readSessionOptions({ cpus: "1.5", pids: "200" }).limits).toMatchObject({ cpus: 1.5, pids: 200 });
  });

  test("publish ports for this machine alone, unless an address is named", () => {
    const { ports, network } = readSessionOptions({ publish: ["8080:80", "0.0.0.0:1:2", "[::1]:3:4"] });
    expect(ports).toEqual(["127.0.0.1:8080:80", "0.0.0.0:1:2", "[::1]:3:4"]);
    expect(network).toBe("default");
  });

  test.each([
    ["host", "host"],
    ["none", "none"],
    ["shop_default", "engine:shop_default"],
  ])("read the network %s", (network, expected) => {
    expect(readSessionOptions({ network }).network).toBe(expected);
  });

  test("take a volume as it is, commas too", () => {
    expect(readSessionOptions({ volume: ["~/a, b:/b:rw"] }).mounts).toEqual(["~/a, b:/b:rw"]);
  });

  test.each([
    { memory: "much" },
    { memory: "0" },
    { cpus: "-1" },
    { pids: "1.5" },
    { publish: ["80"] },
    { publish: ["0:80"] },
    { publish: ["80:99999"] },
    { publish: ["80:80/udp"] },
    { network: "container:other" },
    { network: "host", publish: ["80:80"] },
  ])("refuse %j", (options) => {
    expect(() => readSessionOptions(options)).toThrow(expect.objectContaining({ code: "COMMAND_USAGE" }));
  });
});
