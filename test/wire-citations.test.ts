import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { ROOT, workspacePackages } from "./support/packages.js";

const FOLDERS = ["packages", "apps", "test", "bench", "scripts", "docs"];
const SKIPPED = new Set(["node_modules", "dist", ".turbo", ".cache"]);
/** What names a section by its number. Composed, or this file would find itself. */
const SIGN = String.fromCodePoint(0xa7);
const NUMBERS = `${SIGN}[\\d.]*\\d(?:(?:, +| +and +| +to +|–)${SIGN}[\\d.]*\\d)*`;

interface TextFile {
  /** Relative to the root of the repository. */
  readonly path: string;
  readonly text: string;
}

const files = [...FOLDERS.flatMap((folder) => textFiles(join(ROOT, folder))), ...rootPages()].map(readText);

describe("no source cites a section that its reader cannot open", () => {
  test("there are sources to look at, and pages of foreign wires", () => {
    expect(files.length).toBeGreaterThan(500);
    expect(files.filter(({ path }) => path.startsWith("docs/wire/"))).toHaveLength(4);
  });

  test("a numbered section is one of an RFC, or of a page of ours that has it", () => {
    expect(files.flatMap(numberedCitations)).toEqual([]);
  });

  test("notes that are not in the repository are cited nowhere", () => {
    const nameless = /\b(?:session|relay|agent|protocol) spec\b(?! (?:of|that|in)\b)/g;
    expect(files.flatMap((file) => placesOf(file, nameless))).toEqual([]);
  });
});

describe("every citation of a wire is a link", () => {
  test("to a page that is there, and to a heading of it", () => {
    const links = files.flatMap(pathLinks);
    expect(links.length).toBeGreaterThan(100);
    expect(links.filter((link) => !resolves(link)).map(inWords)).toEqual([]);
  });

  test("also in Markdown, and within the pages themselves", () => {
    const links = files.filter(({ path }) => path.endsWith(".md")).flatMap(markdownLinks);
    expect(links.length).toBeGreaterThan(50);
    expect(links.filter((link) => !resolves(link)).map(inWords)).toEqual([]);
  });

  // An editor shows these where there is no repository beside them. `npm test` builds them first.
  test("and in published declarations it is the page's address", () => {
    const published = workspacePackages("packages").flatMap(({ directory }) => declarations(join(directory, "dist")));
    expect(published.length).toBeGreaterThan(5);
    const byPath = /(?<!https:\/\/github\.com\/daemon-sdk\/daemon-sdk\/blob\/main\/)docs\/wire\//g;
    expect(published.map(readText).flatMap((file) => placesOf(file, byPath))).toEqual([]);
  });
});

test("an anchor is made of a heading as GitHub makes it", () => {
  expect(anchorsOf("# One: `two_three` – 4, five-six\n\ntext\n\n## Same\n## Same\n")).toEqual(
    new Set(["one-two_three--4-five-six", "same", "same-1"]),
  );
});

interface Link {
  readonly from: string;
  /** Relative to the root of the repository. */
  readonly page: string;
  readonly anchor: string | undefined;
}

/** Links in either form: a path from the root of the repository, or the page's address. */
function pathLinks({ path, text }: TextFile): Link[] {
  return [...text.matchAll(/docs\/wire\/[\w.-]+\.md(?:#([\w-]*))?/g)].map((match) => ({
    from: `${path}:${lineAt(text, match.index)}`,
    page: match[0].replace(/#.*/, ""),
    anchor: match[1],
  }));
}

/** Relative links from or to a page of a wire. */
function markdownLinks({ path, text }: TextFile): Link[] {
  return [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)]
    .map((match) => {
      const target = match[1] ? resolve(ROOT, dirname(path), match[1]) : join(ROOT, path);
      const page = relative(ROOT, target).replaceAll("\\", "/");
      return { from: `${path}:${lineAt(text, match.index)}`, page, anchor: match[2] };
    })
    .filter(({ from, page }) => from.startsWith("docs/wire/") || page.startsWith("docs/wire/"));
}

function resolves({ page, anchor }: Link): boolean {
  if (!existsSync(join(ROOT, page))) return false;
  return anchor === undefined || anchorsOf(readFileSync(join(ROOT, page), "utf8")).has(anchor);
}

function inWords({ from, page, anchor }: Link): string {
  return `${from} links to ${page}${anchor === undefined ? "" : `#${anchor}`}`;
}

/** Places where a number stands for a section, unless that is one of an RFC or of a page of ours that has it. */
function numberedCitations(file: TextFile): string[] {
  // A citation may go on in the next line of its comment. Lengths stay, so that a place's index does.
  const text = file.text.replaceAll(/\n[ \t]*(?:\*|\/\/)?[ \t]*/g, blank);
  const allowed = text
    .replaceAll(new RegExp(`RFC \\d+ +${NUMBERS}`, "g"), blank)
    .replaceAll(new RegExp(`docs/([\\w-]+\\.md),? +(${NUMBERS})`, "g"), (match, page: string, numbers: string) =>
      hasSections(page, numbers) ? blank(match) : match,
    );
  return [...allowed.matchAll(new RegExp(SIGN, "g"))].map(
    ({ index }) => `${file.path}:${lineAt(file.text, index)}: ${file.text.slice(Math.max(0, index - 30), index + 8)}`,
  );
}

/** Whether a page of ours has headings with all of these numbers. */
function hasSections(page: string, numbers: string): boolean {
  const path = join(ROOT, "docs", page);
  if (!existsSync(path)) return false;
  const text = readFileSync(path, "utf8");
  return [...numbers.matchAll(/[\d.]*\d/g)].every(([number]) => new RegExp(`^#+ ${number} `, "m").test(text));
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of text.matchAll(/^#{1,6} (.*)$/gm)) {
    const slug = heading
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-");
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

function blank(text: string): string {
  return " ".repeat(text.length);
}

function placesOf({ path, text }: TextFile, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(({ index, 0: found }) => `${path}:${lineAt(text, index)}: ${found}`);
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

function readText(path: string): TextFile {
  return { path: relative(ROOT, path).replaceAll("\\", "/"), text: readFileSync(path, "utf8") };
}

/** Paths of the sources and pages below a folder. */
function textFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : textFiles(path);
    return /\.(?:tsx?|mjs|md)$/.test(entry.name) ? [path] : [];
  });
}

function rootPages(): string[] {
  return readdirSync(ROOT)
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(ROOT, name));
}

function declarations(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.d\.c?ts$/.test(name))
    .map((name) => join(folder, name));
}
