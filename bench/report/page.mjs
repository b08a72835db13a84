// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** bench/report.html: one file without scripts and without anything to load. */
import { escapeText } from "./svg.mjs";
import { describeRun } from "./readme.mjs";
import { formatBound, formatNumber, formatSpread } from "./verdicts.mjs";

const STYLE = `
  :root { color-scheme: light dark; }
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
  table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
  th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8c959f66; vertical-align: top; }
  td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
  .met { color: #1a7f37; } .missed { color: #cf222e; font-weight: 600; } .unsure, .not { color: #9a6700; }
  @media (prefers-color-scheme: dark) { .met { color: #3fb950; } .missed { color: #f85149; } .unsure, .not { color: #d29922; } }
  svg { max-width: 100%; height: auto; display: block; margin: 1rem 0; }
  small { color: #8c959f; }
`;

/** @param {import("./readme.mjs").ResultsFile} results @param {readonly import("./plots.mjs").Plot[]} plots */
export function formatPage(results, plots) {
  const sections = Object.entries(results.parts).map(([part, found]) => {
    const drawn = plots.filter((plot) => plot.part === part).map(({ svg }) => svg);
    return [`<h2>${escapeText(part)}</h2>`, describePart(found), describePeers(found.peers), ...drawn].join(
      "\n",
    );
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>toolbox: measurements</title>
<style>${STYLE}</style>
</head>
<body>
<h1>toolbox: measurements</h1>
<p>${escapeText(describeRun(results.parts))}. Peers take turns in each round; medians of ratios taken round by round count. How it is
measured stands in bench/README.md.</p>
${formatVerdicts(results.goals)}
${sections.join("\n")}
</body>
</html>
`;
}

/** @param {readonly import("../goals.mjs").Verdict[]} goals */
function formatVerdicts(goals) {
  const rows = goals.map((goal) => {
    const cells = [formatBound(goal), formatNumber(goal), formatSpread(goal)];
    const numbers = cells.map((text) => `<td class="number">${escapeText(text)}</td>`).join("");
    const [kind] = goal.verdict.split(" ");
    const why = goal.why === undefined ? "" : `: ${goal.why}`;
    return `<tr><td>${goal.id}</td><td>${escapeText(goal.text)}</td>${numbers}<td class="${kind}">${escapeText(goal.verdict + why)}</td></tr>`;
  });
  const head = ["", "what", "goal", "measured", "all rounds", "verdict"]
    .map((text) => `<th>${text}</th>`)
    .join("");
  return `<table><thead><tr>${head}</tr></thead><tbody>${rows.join("\n")}</tbody></table>`;
}

/** @param {any} found */
function describePart({ machine, seconds, loadAfter }) {
  const text = `${machine.date}, commit ${machine.commit}, ${machine.cores} cores of ${machine.cpu}, ${machine.system}, kernel ${machine.kernel}, Node.js ${machine.node}, load ${machine.load} before and ${loadAfter} after, ${seconds} s`;
  return `<p><small>${escapeText(text)}</small></p>`;
}

/** @param {Record<string, string | { version: string, about: string }> | undefined} peers */
function describePeers(peers) {
  const rows = Object.entries(peers ?? {}).map(([name, peer]) => {
    const { version, about } = typeof peer === "string" ? { version: peer, about: "" } : peer;
    return `<tr><td>${escapeText(name)}</td><td>${escapeText(about)}</td><td>${escapeText(version)}</td></tr>`;
  });
  return rows.length === 0 ? "" : `<table><tbody>${rows.join("")}</tbody></table>`;
}
