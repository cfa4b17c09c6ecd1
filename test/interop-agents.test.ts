import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "./support/packages.js";

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

/** Package of each column of the table that `npm run interop:agents -- --write` puts into docs/agents.md. */
const PACKAGES = {
  opencode: "opencode-linux-x64",
  gemini: "@google/gemini-cli",
  codex: "@agentclientprotocol/codex-acp",
  pi: "pi-acp",
};

test("the table of published agents is of the versions that are pinned, and has no failure", () => {
  const pinned: Record<string, string> = JSON.parse(read("test/interop/agents/package.json")).dependencies;
  const [, table = ""] = read("docs/agents.md").split(/<!-- \/?interop:agents -->/u);
  const columns = Object.entries(PACKAGES).map(([name, of]) => `${name} ${pinned[of]}`);
  expect(table).toContain(`| scenario | ${columns.join(" | ")} |`);
  expect(table).not.toContain("failed");
});
