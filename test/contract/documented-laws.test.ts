import { readFileSync } from "node:fs";
import { join } from "node:path";
import { daemonContract, transportContract } from "@daemon-sdk/testing";
import { acpAgentContract, agentContract } from "@daemon-sdk/testing/node";
import { expect, test } from "vitest";
import { ROOT } from "../support/packages.js";

function byName(one: string, other: string): number {
  return one.localeCompare(other, "en", { numeric: true });
}

/** Marks such as **[P7.4]** in a document, sorted. */
function marksIn(document: string, letter: string): string[] {
  const text = readFileSync(join(ROOT, document), "utf8");
  const marks = text.matchAll(new RegExp(`\\[(${letter}\\d+(?:\\.\\d+)?)\\](?!\\()`, "g"));
  return [...new Set([...marks].map((match) => match[1] ?? ""))].toSorted(byName);
}

function lawsOf(cases: readonly { readonly id: string }[]): string[] {
  return cases.map(({ id }) => id.split("-")[0] ?? "").toSorted(byName);
}

test("each law of docs/protocol.md that is marked has one case, and each case its mark", () => {
  expect(marksIn("docs/protocol.md", "P")).toEqual(lawsOf(daemonContract));
});

test("each law of docs/agents.md that is marked has one case, and each case its mark", () => {
  expect(marksIn("docs/agents.md", "A")).toEqual(lawsOf(agentContract));
});

test("each law of ACP in docs/agents.md that is marked has one case, and each case its mark", () => {
  expect(marksIn("docs/agents.md", "C")).toEqual(lawsOf(acpAgentContract));
});

test("each law of Transport has a case, and each case is of a law that stands there", () => {
  const text = readFileSync(join(ROOT, "packages", "protocol", "src", "link", "transport.ts"), "utf8");
  const laws = [...text.matchAll(/\*\*(T\d+) /g)].map((match) => match[1] ?? "");
  expect([...new Set(lawsOf(transportContract))]).toEqual(laws);
});
