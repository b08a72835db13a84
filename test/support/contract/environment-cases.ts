// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { chmod, chown, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { makeCertificate } from "../certificate.ts";
import { type ContractCase, type ContractRun, summary } from "./contract-case.ts";
import { findProcesses } from "../process-list.ts";

/** Variables, credentials and limits. */
export const ENVIRONMENT_CASES: readonly ContractCase[] = [
  {
    title: "sees the image's variables and the session's, and none of the host's",
    async run({ textOf }) {
      const env = { SENTINEL: "host-secret", PASSED: "on purpose" };
      const said = await textOf(["env"], { env, session: { settings: { env: ["PASSED", "SET=a b"] } } });
      for (const line of ["FROM_IMAGE=yes", "PASSED=on purpose", "SET=a b", "GIT_CONFIG_VALUE_0=/work"]) {
        expect(said).toContain(`${line}\n`);
      }
      expect(said).not.toContain("host-secret");
      expect(said).not.toMatch(/^(?:DOCKER_HOST|CONTAINERS_CONF|XDG_RUNTIME_DIR|OLDPWD|SHLVL)=/m);
    },
  },
  {
    title: "has the caller's time zone, and a locale that every image knows",
    async run({ bench, textOf }) {
      const zone = join(bench.home, "zone");
      await writeFile(zone, zoneFile("JST", 9 * 3600));
      const argv = ["bash", "-c", String.raw`printf '%(%H %Z)T ' 0; echo $LANG ${"$"}{LC_ALL-none}`];
      const env = { LANG: "xx_XX", LC_ALL: "xx_XX" };
      expect(await textOf(argv, { env, session: { localtime: zone } })).toBe("09 JST C.UTF-8 none\n");
      expect(await textOf(argv, { env: { ...env, TZ: "ABC-5" } })).toBe("05 ABC C.UTF-8 none\n");
    },
  },
  {
    title: "has the proxies in both spellings, and no argv shows them",
    async run(run) {
      const secret = "http://ada:pr0xypass@127.0.0.1:9";
      const env = { HTTPS_PROXY: secret, no_proxy: "localhost" };
      const said = await watchSecrets(run, { secrets: ["pr0xypass"], env, script: "env" });
      for (const line of [
        `HTTPS_PROXY=${secret}`,
        `https_proxy=${secret}`,
        "NO_PROXY=localhost",
        "no_proxy=localhost",
      ]) {
        expect(said).toContain(`${line}\n`);
      }
    },
  },
  {
    title: "finds a company's certificates by every tool's own variable",
    needs: ["openssl"],
    async run({ bench, textOf }) {
      const { cert } = await makeCertificate();
      const file = join(bench.home, "company.pem");
      await writeFile(file, cert, { mode: 0o644 });
      const names = [
        "SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
        "AWS_CA_BUNDLE",
        "GIT_SSL_CAINFO",
      ];
      const script = `for name in ${names.join(" ")}; do echo "\${!name}"; done; cat "$SSL_CERT_FILE"`;
      const said = await textOf(["bash", "-c", script], { env: { SSL_CERT_FILE: file } });
      const [bundle = "", ...others] = said.split("\n").slice(0, names.length);
      expect(bundle).toMatch(/^\//);
      expect(new Set(others)).toEqual(new Set([bundle]));
      expect(said).toContain(cert.trim());
    },
  },
  {
    title:
      "reads the credentials that the session names, cannot change their sources, and no argv shows them",
    run: checkCredentials,
  },
  {
    title: "has no more memory, CPU time and processes than the session allows",
    run: checkLimits,
  },
];

/** One file that is only read, one that tools write to, one variable. */
async function checkCredentials(run: ContractRun): Promise<void> {
  const { home } = run.bench;
  const cache = join(home, ".aws", "sso", "cache");
  await mkdir(cache, { recursive: true });
  await writeFile(join(home, ".netrc"), "machine example.com password f1lepass\n", { mode: 0o600 });
  await writeFile(join(cache, "token.json"), '{"token":"c0pypass"}\n', { mode: 0o600 });
  for (const path of [".aws", ".aws/sso", ".aws/sso/cache", ".aws/sso/cache/token.json", ".netrc"]) {
    await chown(join(home, path), run.caller.uid, run.caller.gid);
  }
  await chmod(home, 0o755);
  const script = [
    "cat ~/.netrc ~/.aws/sso/cache/token.json; echo $AWS_SECRET_ACCESS_KEY; echo ${OTHER_SECRET-none}",
    "echo x 2>/dev/null >>~/.netrc || echo refused",
    "echo refreshed >~/.aws/sso/cache/token.json",
  ].join("\n");
  const said = await watchSecrets(run, {
    secrets: ["f1lepass", "c0pypass", "v4rpass"],
    env: { AWS_SECRET_ACCESS_KEY: "v4rpass", OTHER_SECRET: "0therpass" },
    credentials: ["netrc", "aws"],
    script,
  });
  expect(said).toBe('machine example.com password f1lepass\n{"token":"c0pypass"}\nv4rpass\nnone\nrefused\n');
  expect(await readFile(join(cache, "token.json"), "utf8")).toBe('{"token":"c0pypass"}\n');
  expect(await readFile(join(home, ".netrc"), "utf8")).not.toContain("x\n");
  // What the tool wrote is its own, and stays.
  const again = await run.textOf(["bash", "-c", "cat ~/.aws/sso/cache/token.json"], {
    session: { credentials: ["aws"] },
  });
  expect(again).toBe("refreshed\n");
  expect((await stat(join(home, ".netrc"))).mode & 0o777).toBe(0o600);
}

interface WatchRequest {
  readonly secrets: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly credentials?: readonly string[];
  readonly script: string;
}

/** What a script prints that is held while the arguments of every process of this machine are looked through. */
async function watchSecrets(
  { bench }: ContractRun,
  { secrets, env, credentials = [], script }: WatchRequest,
): Promise<string> {
  const seen = new AbortController();
  const input = once(seen.signal, "abort").then(() => new Uint8Array());
  const found: Promise<number[]>[] = [];
  const result = await bench.run(["bash", "-c", `${script}\necho end; read -r`], {
    env,
    session: { credentials },
    input,
    onStart: (child) => {
      let text = "";
      child.stdout?.on("data", (chunk: Buffer) => {
        text += chunk.toString("utf8");
        if (!text.endsWith("end\n") || found.length > 0) return;
        found.push(...secrets.map(findProcesses));
        void Promise.all(found).finally(() => seen.abort());
      });
      child.once("exit", () => seen.abort());
    },
  });
  expect(found).toHaveLength(secrets.length);
  expect((await Promise.all(found)).flat()).toEqual([]);
  expect(result.stderr).toBe("");
  return summary(result).stdout.replace(/end\n$/, "");
}

const LIMITS = { memory: 96 * 1024 * 1024, cpus: 0.5, pids: 50 };

async function checkLimits({ bench, differs }: ContractRun): Promise<void> {
  const result = summary(
    await bench.run(["bash", "-c", LIMIT_SCRIPT], { session: { settings: { limits: LIMITS } } }),
  );
  if (differs("no-limits")) {
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toMatch(/^SESSION_INVALID: .* cannot limit memory, CPUs and processes/);
    return;
  }
  expect(result.stdout).toBe(`${LIMITS.memory}\n50000 100000\n${LIMITS.pids}\n`);
  expect(result.code).toBe(0);
}

/** Prints the three limits, whether cgroups are unified (v2) or not, and whether the own one is mounted as the root. */
const LIMIT_SCRIPT = String.raw`
show() {
  while IFS=: read -r number names path; do
    case ,$names, in *,$1,*|,,) ;; *) continue ;; esac
    for folder in "/sys/fs/cgroup/$1$path" "/sys/fs/cgroup/$names$path" "/sys/fs/cgroup/$1" "/sys/fs/cgroup$path" /sys/fs/cgroup; do
      [ -r "$folder/$2" ] && text=$(cat "$folder/$2") && echo "$text" && return 0
    done
  done < /proc/self/cgroup
  return 1
}
show memory memory.max || show memory memory.limit_in_bytes
show cpu cpu.max || echo "$(show cpu cpu.cfs_quota_us) $(show cpu cpu.cfs_period_us)"
show pids pids.max
`;

/** A zone file (RFC 8536, version 1) of a zone that never changes its clocks. */
function zoneFile(name: string, offset: number): Uint8Array {
  const bytes = Buffer.alloc(44 + 6 + name.length + 1);
  bytes.write("TZif");
  bytes.writeUInt32BE(1, 36);
  bytes.writeUInt32BE(name.length + 1, 40);
  bytes.writeInt32BE(offset, 44);
  bytes.write(name, 50);
  return bytes;
}
