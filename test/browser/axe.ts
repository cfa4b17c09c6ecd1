import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

declare const axe: {
  run(): Promise<{ violations: { id: string; help: string; nodes: { html: string; failureSummary?: string }[] }[] }>;
};

/** What axe finds in the page: the rule, and where. Runs in the page. */
export async function findings(): Promise<string[]> {
  const { violations } = await axe.run();
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  );
}

/** The script of axe, for a page. */
export function axeScript(): Promise<string> {
  return readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
}
