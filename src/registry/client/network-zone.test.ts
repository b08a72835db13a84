// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { checkZone, zoneOf } from "./network-zone.ts";

describe("zoneOf", () => {
  test.each([
    ["http://localhost", "loopback"],
    ["http://127.8.9.10", "loopback"],
    ["http://[::1]", "loopback"],
    ["http://[::ffff:127.0.0.1]", "loopback"],
    ["http://0x7f.1", "loopback"],
    ["http://2130706433", "loopback"],
    ["http://0.0.0.0", "loopback"],
    ["http://169.254.169.254", "link-local"],
    ["http://metadata.google.internal", "link-local"],
    ["http://[fe80::1]", "link-local"],
    ["http://10.1.2.3", "private"],
    ["http://172.31.0.1", "private"],
    ["http://192.168.1.1", "private"],
    ["http://[fd00::1]", "private"],
    ["http://8.8.8.8", "public"],
    ["http://172.32.0.1", "public"],
    ["http://registry.example", "public"],
  ])("finds %s to be %s", (url, zone) => {
    expect(zoneOf(new URL(url).hostname)).toBe(zone);
  });
});

describe("checkZone", () => {
  test.each([
    ["https://169.254.169.254/x", "https://registry.example"],
    ["https://127.0.0.1:5000/x", "https://registry.example"],
    ["https://10.0.0.1/x", "https://registry.example"],
    ["http://10.0.0.1/x", "http://127.0.0.1:5000"],
  ])("refuses %s when %s names it", (target, from) => {
    expect(check(target, from)).toThrow(expect.objectContaining({ code: "POLICY_REFUSED" }));
  });

  test.each([
    ["https://cdn.example/x", "https://registry.example"],
    ["https://10.0.0.1/x", "https://10.0.0.1"],
    ["http://10.0.0.2/x", "http://10.0.0.1:5000"],
    ["http://127.0.0.2:1/x", "http://127.0.0.1:5000"],
  ])("lets %s pass when %s names it", (target, from) => {
    expect(check(target, from)).not.toThrow();
  });
});

function check(target: string, from: string): () => void {
  return () => checkZone(new URL(target), new URL(from), "redirect");
}
