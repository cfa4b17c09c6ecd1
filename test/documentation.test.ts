import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { transportContract } from "@daemon-sdk/testing";
import { transform } from "esbuild";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DaemonProcess, startDaemonProcess } from "./support/daemon-process.js";
import { ROOT } from "./support/packages.js";
import { readSamples, type Sample } from "./support/samples.js";

const samples = readSamples();
/** Inside the repository, so that the packages are found; ignored by git. */
const CACHE = join(ROOT, "node_modules", ".cache", "daemon-sdk", "samples");

test("the README has a sample for each use: interactive, headless, several sessions, resume and interrupt", () => {
  expect(
    samples.filter(({ place, kind }) => place.startsWith("README.md") && kind === "run").length,
  ).toBeGreaterThanOrEqual(4);
});

test("every marked sample type-checks", { timeout: 240_000 }, () => {
  expect(typeErrorsOf(samples)).toEqual([]);
});

describe("samples that run", () => {
  let daemon: DaemonProcess;
  beforeAll(async () => {
    daemon = await startDaemonProcess();
    mkdirSync(CACHE, { recursive: true });
  });
  afterAll(async () => {
    await daemon.stop();
    rmSync(CACHE, { recursive: true, force: true });
  });

  test.each(samples.filter(({ kind }) => kind === "run"))("$place runs to its end", async ({ place, code }) => {
    const path = join(CACHE, `${place.replaceAll(/[^\w]/g, "-")}.mjs`);
    const compiled = await transform(code, { loader: "ts", format: "esm", target: "node20" });
    writeFileSync(path, compiled.code);
    const env = { ...process.env, DAEMON_SDK_HOME: daemon.stateDir };
    const running = promisify(execFile)(process.execPath, [path], { cwd: daemon.workspace, env, timeout: 50_000 });
    await expect(running, "it ends with 0, and in time").resolves.toBeDefined();
  });
});

describe("guarantees", () => {
  /** A link to a test file, whose title is the name of a test or scenario in it. */
  const PROOF = /\]\(\.\.\/((?:packages|apps|test)\/[^\s)]+\.ts) "([^"]+)"\)/g;
  const textOf = (name: string) => readFileSync(join(ROOT, "docs", name), "utf8");
  const text = textOf("guarantees.md");
  const proofsIn = (document: string) =>
    [...document.matchAll(PROOF)].map((match) => ({ file: match[1] ?? "", name: match[2] ?? "" }));
  const proofs = proofsIn(text);

  test("each promise names a test", () => {
    const promises = text.match(/^\| \d+\.\d+ \|.*\|$/gm) ?? [];
    expect(promises.length).toBeGreaterThan(60);
    expect(promises.filter((row) => proofsIn(row).length === 0)).toEqual([]);
  });

  test("each promise has a number of its own, and each that the prose cites is there", () => {
    const numbers = [...text.matchAll(/^\| (\d+\.\d+) \|/gm)].map((match) => match[1] ?? "");
    const cited = [...text.matchAll(/\((\d\.\d+)\)/g)].map((match) => match[1] ?? "");
    expect(cited.length).toBeGreaterThan(20);
    expect(numbers).toEqual([...new Set(numbers)]);
    expect(cited.filter((number) => !numbers.includes(number))).toEqual([]);
  });

  test("each fault scenario proves a promise, and has a pass mark", () => {
    const scenarios = proofs.filter(({ file }) => file.startsWith("test/faults/scenarios/"));
    const ids = readdirSync(join(ROOT, "test/faults/scenarios")).flatMap((name) =>
      [...readFileSync(join(ROOT, "test/faults/scenarios", name), "utf8").matchAll(/^\s+id: "([A-Z]\d+)"/gm)].map(
        (match) => match[1] ?? "",
      ),
    );
    const marked = [...text.matchAll(/^\| ([A-Z]\d+(?:, [A-Z]\d+)*) \|/gm)].flatMap((match) => match[1]?.split(", "));
    expect(ids.length).toBeGreaterThan(40);
    expect(scenarios).toHaveLength(ids.length);
    expect(new Set(marked)).toEqual(new Set(ids));
  });

  test("each row about the relay's original names a test", () => {
    const rows = textOf("relay-compatibility.md").match(/^\| (?!fact \|).*\|$/gm) ?? [];
    expect(rows.length).toBeGreaterThan(60);
    expect(rows.filter((row) => proofsIn(row).length === 0)).toEqual([]);
  });

  test.each([...proofs, ...proofsIn(textOf("relay-compatibility.md"))])("$file proves: $name", ({ file, name }) => {
    const source = readFileSync(join(ROOT, file), "utf8");
    expect(source).toContain(name);
  });
});

test("each word of the glossary has code that bears it, where the glossary says", () => {
  const text = readFileSync(join(ROOT, "docs", "glossary.md"), "utf8");
  const words = text.match(/^\| \*\*.*\|$/gm) ?? [];
  const places = [...text.matchAll(/`([\w.]+)` in \[[^\]]*\]\(\.\.\/([^)]+)\)/g)];
  const missing = places.filter(([, name = "", path = ""]) => {
    const source = readFileSync(join(ROOT, path), "utf8");
    return !name.split(".").every((part) => source.includes(part));
  });
  expect(words.length).toBeGreaterThan(50);
  expect(words.filter((row) => !row.includes("](../"))).toEqual([]);
  expect(missing.map(([place]) => place)).toEqual([]);
});

test("docs/transports.md names every case of the transport contract, and no other", () => {
  const text = readFileSync(join(ROOT, "docs", "transports.md"), "utf8");
  const named = [...text.matchAll(/`(T\d+-[a-z-]+)`/g)].map((match) => match[1]);
  expect(new Set(named)).toEqual(new Set(transportContract.map(({ id }) => id)));
});

describe("links", () => {
  const docs = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
  const files = ["README.md", "CONTRIBUTING.md", ...docs.map((name) => join("docs", name))];

  test.each(files)("%s links to files that are there", (file) => {
    const text = readFileSync(join(ROOT, file), "utf8");
    const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)\s]*)?(?: "[^"]*")?\)/g)].map(
      (match) => match[1] ?? "",
    );
    const missing = targets.filter(
      (target) => !ts.sys.fileExists(pathOf(file, target)) && !ts.sys.directoryExists(pathOf(file, target)),
    );
    expect(missing).toEqual([]);
  });

  function pathOf(file: string, target: string): string {
    return resolve(ROOT, dirname(file), target);
  }
});

/** Type errors of samples, as if each were a file at the root of the repository. */
function typeErrorsOf(all: readonly Sample[]): string[] {
  const config = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, ROOT);
  const texts = new Map(all.map((sample, index) => [join(ROOT, `sample-${index}.mts`), sample]));
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  host.readFile = (path) => texts.get(path)?.code ?? readFile(path);
  host.getSourceFile = (path, ...rest) => {
    const sample = texts.get(path);
    return sample ? ts.createSourceFile(path, sample.code, ts.ScriptTarget.ES2022) : getSourceFile(path, ...rest);
  };
  const program = ts.createProgram([...texts.keys()], options, host);
  // Of the samples only: the packages' own types are checked elsewhere, and there is much of them.
  const files = program.getSourceFiles().filter(({ fileName }) => texts.has(fileName));
  const problems = files.flatMap((file) => ts.getPreEmitDiagnostics(program, file));
  return problems.map(({ file, messageText }) => {
    const place = (file && texts.get(file.fileName)?.place) ?? file?.fileName ?? "";
    return `${place}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}
