import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { chartsOf, declarationsOf, faultsOf } from "./support/charts.js";
import { ROOT, sourceFiles, workspacePackages } from "./support/packages.js";
import { arrowsOf } from "./support/source-graph.js";

/** The ways that docs/architecture.md draws, by their headings. */
const WAYS = [
  "Connect to ready",
  "Prompt, agent, event, stream",
  "Permission round trip",
  "Reconnect and resume",
  "Relay: SEND, DELIVER, ACK",
  "Start after SIGKILL",
];

const page = readFileSync(join(ROOT, "docs", "architecture.md"), "utf8");
const packages = workspacePackages("packages").map((owner) => ({ folder: owner.folder, files: sourceFiles(owner) }));
const declared = declarationsOf(packages);

describe("docs/architecture.md", () => {
  test("draws each way once, and nothing else", () => {
    expect(chartsOf(page)).toHaveLength(WAYS.length);
    expect(page.match(/```mermaid/g)).toHaveLength(WAYS.length);
  });

  test.each(WAYS)("draws as it is in the sources: %s", (way) => {
    const from = page.indexOf(`\n### ${way}\n`);
    const section = page.slice(from + 1).split(/\n##+ /)[0] ?? "";
    const [chart, ...others] = chartsOf(section);
    expect(from).toBeGreaterThan(0);
    expect(others).toEqual([]);
    expect(chart?.messages.filter(({ isCall }) => isCall).length).toBeGreaterThan(5);
    expect(chart === undefined ? ["there is no chart"] : faultsOf(chart, declared)).toEqual([]);
  });
});

describe("docs/architecture.md, of folders", () => {
  const folded = packages.filter(({ folder }) => folder !== "transport-ws");

  test.each(folded)("has every entry of $folder/src in its table, and no other", ({ folder }) => {
    const entries = readdirSync(join(ROOT, "packages", folder, "src")).filter((name) => name !== "index.ts");
    expect(new Set(tableOf(folder).filter((name) => name !== "index.ts"))).toEqual(new Set(entries));
  });

  test.each(folded)("has each entry of $folder/src above what it imports", ({ folder, files }) => {
    const rows = tableOf(folder);
    const upwards = arrowsOf(files)
      .filter(({ directory, from, to }) => directory === "" && from !== to && from !== "index.ts")
      .filter(({ from, to }) => rows.indexOf(from) > rows.indexOf(to));
    expect(upwards.map(({ importer, imported }) => `${importer} imports ${imported}`)).toEqual([]);
  });

  test("names owners that are in the folder beside them", () => {
    const owners = [...page.matchAll(/\| `(\w+)` \| `([\w/-]+)` \|$/gm)];
    const lost = owners.filter(([, owner = "", place = ""]) => {
      const types = declared.types.get(owner) ?? [];
      return !types.some(({ path }) => path.startsWith(`${place}/`));
    });
    expect(owners.length).toBeGreaterThan(15);
    expect(lost.map(([row]) => row)).toEqual([]);
  });

  test("names only files and folders that are there", () => {
    const paths = [...page.matchAll(/`((?:protocol|transport-ws|client|local-daemon|http|testing)\/[\w./-]+)`/g)];
    const missing = paths.map((match) => match[1] ?? "").filter((path) => !isThere(path));
    expect(paths.length).toBeGreaterThan(40);
    expect(missing).toEqual([]);
  });

  /** The entries of a package's `src` in the order of its table. */
  function tableOf(folder: string): string[] {
    const section = page.split(`\n### ${folder}\n`)[1]?.split(/\n(?:###? |\| in )/)[0] ?? "";
    const firstCells = [...section.matchAll(/^\| ([^|]*) \|/gm)].map((match) => match[1] ?? "");
    return firstCells.flatMap((cell) => [...cell.matchAll(/`([\w.-]+?)\/?`/g)].map((match) => match[1] ?? ""));
  }

  function isThere(path: string): boolean {
    const [folder = "", ...rest] = path.split("/");
    return existsSync(join(ROOT, "packages", folder, "src", ...rest));
  }
});

describe("a chart", () => {
  const text =
    "class Base { close() {} }\nexport class Session extends Base { #log() {} notify = 1 }\nconst go = () => {};";
  const tree = ts.createSourceFile("session.ts", text, ts.ScriptTarget.ES2022, true);
  const small = declarationsOf([{ folder: "daemon", files: [{ path: "sessions/session.ts", text, tree }] }]);
  const head =
    "participant S as Session<br/>daemon/sessions\nparticipant F as session.ts<br/>daemon/sessions\nactor P as program\n";
  const faults = (lines: string) =>
    chartsOf(`\`\`\`mermaid\nsequenceDiagram\n${head}${lines}\n\`\`\``).flatMap((chart) => faultsOf(chart, small));

  test("may name methods, private and inherited ones too, and functions of a file", () => {
    const lines = ["P->>S: Session.notify", "S->>S: Session.log (private)", "P->>S: Session.close", "P->>F: go() once"];
    expect(faults([...lines, "S-->>P: what comes back, in words", "S->>P: a frame"].join("\n"))).toEqual([]);
  });

  test.each([
    ["P->>S: Session.gone", "there is no Session.gone"],
    ["P->>S: Base.close", "Base.close is not of Session"],
    ["P->>S: does it", "names no function first: does it"],
    ["P->>F: gone()", "no function gone() for: gone()"],
    ["P->>X: Session.notify", "nobody is called X"],
    ["P->>S: Session.notify, then Session.gone", "there is no Session.gone"],
    ["P->>S: Session.#log", "cannot be read: P->>S: Session.#log"],
    ["participant G as Gone<br/>daemon/sessions", "Gone is not in daemon/sessions"],
    ["P=>S", "cannot be read: P=>S"],
  ])("is found wrong: %s", (line, fault) => {
    expect(faults(line)).toContain(fault);
  });
});
