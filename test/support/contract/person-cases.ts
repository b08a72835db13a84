// SPDX-License-Identifier: Apache-2.0
import { chown, mkdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { type ContractCase, summary } from "./contract-case.ts";

/** Who the command is, what it may, and where it stands. */
export const PERSON_CASES: readonly ContractCase[] = [
  {
    title: "runs as the caller, who has a name, a group and a home",
    async run({ textOf, inside, caller, differs }) {
      const { uid, gid } = inside;
      expect(differs("uid-zero")).toBe(uid !== caller.uid);
      const said = await textOf([
        "sh",
        "-c",
        'id -u; id -g; whoami; id -gn; echo "$HOME"; stat -c %u "$HOME" /work',
      ]);
      const name = uid === 0 ? "root" : "ada";
      expect(said).toBe(`${uid}\n${gid}\n${name}\n${name}\n/home/toolbox\n${uid}\n${uid}\n`);
    },
  },
  {
    title: "has no capability, and no way to get one",
    async run({ textOf }) {
      const said = await textOf([
        "sh",
        "-c",
        "while read -r key value; do case $key in Cap[PEBA]*|NoNewPrivs:) echo $key $value;; esac; done < /proc/self/status",
      ]);
      expect(said).toContain("CapPrm: 0000000000000000\n");
      expect(said).toContain("CapEff: 0000000000000000\n");
      expect(said).toContain("NoNewPrivs: 1\n");
    },
  },
  {
    title: "makes files in the working folder that belong to the caller, under the caller's umask",
    async run({ bench, caller, textOf }) {
      for (const [umask, mode] of [
        ["0022", 0o644],
        ["0027", 0o640],
      ] as const) {
        const folder = `made-${umask}`;
        const through = ["sh", "-c", `umask ${umask}; exec "$@"`, "sh"];
        await textOf(["sh", "-c", `mkdir -p ${folder} && echo text > ${folder}/file`], { through });
        const file = join(bench.workspace, folder, "file");
        const found = await stat(file);
        expect({ uid: found.uid, gid: found.gid }).toEqual(caller);
        expect(found.mode & 0o777).toBe(mode);
        expect(await readFile(file, "utf8")).toBe("text\n");
      }
    },
  },
  {
    title: "finds HOME as the last command left it, and nothing else",
    async run({ textOf }) {
      await textOf(["sh", "-c", "echo kept > ~/note; echo lost > /tmp/note"]);
      const said = await textOf(["sh", "-c", "cat ~/note; cat /tmp/note 2>/dev/null || echo gone"]);
      expect(said).toBe("kept\ngone\n");
    },
  },
  {
    title: "may write into the image, and leaves nothing behind there",
    async run({ textOf, caller, inside, differs }) {
      // Where everybody may write is the only place that a plain user can try.
      const script = "mkdir /free/made 2>/dev/null && echo made || echo refused";
      const rule = differs("read-only-image") ? "refused\n" : "made\n";
      expect([inside.uid, caller.uid]).toHaveLength(2);
      expect(await textOf(["sh", "-c", script])).toBe(rule);
      expect(await textOf(["sh", "-c", script])).toBe(rule);
    },
  },
  {
    title: "starts in the folder that it was called in, below the workspace too",
    async run({ bench, textOf }) {
      expect(await textOf(["pwd"])).toBe("/work\n");
      expect(await textOf(["pwd"], { cwd: join(bench.workspace, "charts", "web") })).toBe(
        "/work/charts/web\n",
      );
    },
  },
  {
    title: "sees a folder whose name holds spaces, commas, colons and letters of any alphabet",
    async run({ bench, caller, differs, textOf }) {
      const colon = join(dirname(bench.workspace), "a: b ü→💡");
      const both = join(dirname(bench.workspace), "a: b, ü→💡");
      for (const folder of [colon, both]) {
        await mkdir(folder, { recursive: true });
        await chown(folder, caller.uid, caller.gid);
      }
      // The workspace itself has a space, a comma and an umlaut.
      await textOf(["touch", "comma"]);
      expect((await stat(join(bench.workspace, "comma"))).isFile()).toBe(true);
      await textOf(["touch", "colon"], { cwd: colon });
      expect((await stat(join(colon, "colon"))).isFile()).toBe(true);
      const last = summary(await bench.run(["touch", "both"], { cwd: both }));
      if (differs("colon-and-comma")) {
        expect(last).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(/^MOUNT_REFUSED: .*colon and a comma/),
        });
        return;
      }
      expect(last).toMatchObject({ code: 0, stderr: "" });
      expect((await stat(join(both, "both"))).isFile()).toBe(true);
    },
  },
  {
    title: "reads a mount of the session, and cannot change it unless the session says so",
    async run({ textOf }) {
      const mounts = [
        { source: "charts", target: "/opt/charts" },
        { source: "charts/web", target: "/opt/web", readOnly: false },
      ];
      const script =
        "ls() { [ -d $1 ] && echo seen; }; ls /opt/charts/web; touch /opt/charts/x 2>/dev/null || echo refused; touch /opt/web/x && echo written";
      expect(await textOf(["bash", "-c", script], { session: { settings: { mounts } } })).toBe(
        "seen\nrefused\nwritten\n",
      );
    },
  },
  {
    title: "may be kept from the network",
    async run({ textOf }) {
      const script =
        "while IFS=' :' read -r name rest; do case $rest in *[0-9]*) echo $name;; esac; done < /proc/net/dev";
      expect(await textOf(["sh", "-c", script], { session: { settings: { network: "none" } } })).toBe("lo\n");
    },
  },
];
