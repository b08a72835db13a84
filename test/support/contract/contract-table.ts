// SPDX-License-Identifier: Apache-2.0
import { CONTRACT_ENGINES } from "../engine-list.ts";
import { CONTRACT } from "./contract.ts";
import { columnOf, DIFFERENCES, type DifferenceName } from "./contract-difference.ts";

const NAMES = Object.keys(DIFFERENCES) as DifferenceName[];

/** The contract as a Markdown table, case by engine and user, with its footnotes. */
export function formatContractTable(): string {
  const columns = CONTRACT_ENGINES.map(({ name, user }) => ({ name, user }));
  const lines = [
    row(["a command ...", ...columns.map(({ name, user }) => `${name}, ${user}`)]),
    row(["---", ...columns.map(() => ":-:")]),
  ];
  for (const { title, cases } of CONTRACT) {
    lines.push(row([`**${title}**`, ...columns.map(() => "")]));
    for (const { title: name } of cases) {
      lines.push(row([name, ...columns.map((column) => cellOf(name, columnOf(column)))]));
    }
  }
  const notes = NAMES.map((name, index) => `${index + 1}. ${DIFFERENCES[name].note}`);
  return [...lines, "", ...notes].join("\n");
}

/** Differences that name a case or a column that there is not: a declaration that went stale. */
export function findStaleDifferences(): string[] {
  const titles = new Set(CONTRACT.flatMap(({ cases }) => cases.map(({ title }) => title)));
  const columns = new Set(CONTRACT_ENGINES.map(columnOf));
  return NAMES.flatMap((name) => [
    ...DIFFERENCES[name].cases.filter((title) => !titles.has(title)),
    ...DIFFERENCES[name].columns.filter((column) => !columns.has(column)),
  ]);
}

function cellOf(title: string, column: string): string {
  const found = NAMES.findIndex((name) => {
    const { cases, columns }: { cases: readonly string[]; columns: readonly string[] } = DIFFERENCES[name];
    return cases.includes(title) && columns.includes(column);
  });
  const name = NAMES[found];
  return name === undefined ? "yes" : `${DIFFERENCES[name].cell} (${found + 1})`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", String.raw`\|`)).join(" | ")} |`;
}
