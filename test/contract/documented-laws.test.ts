import { readFileSync } from "node:fs";
import { join } from "node:path";
import { daemonContract } from "@daemon-sdk/testing";
import { expect, test } from "vitest";
import { ROOT } from "../support/packages.js";

/** Marks such as **[P7.4]** in a document, sorted. */
function marksIn(document: string, letter: string): string[] {
  const text = readFileSync(join(ROOT, document), "utf8");
  const marks = text.matchAll(new RegExp(`\\[(${letter}\\d+(?:\\.\\d+)?)\\](?!\\()`, "g"));
  return [...new Set([...marks].map((match) => match[1] ?? ""))].sort();
}

function lawsOf(cases: readonly { readonly id: string }[]): string[] {
  return cases.map(({ id }) => id.split("-")[0] ?? "").sort();
}

test("each law of docs/protocol.md that is marked has one case, and each case its mark", () => {
  expect(marksIn("docs/protocol.md", "P")).toEqual(lawsOf(daemonContract));
});
