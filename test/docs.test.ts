import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import mermaid from "mermaid";
import { describe, expect, test } from "vitest";
import { anchorsOf, chartsOf, linksOf, undefinedReferences } from "./support/markdown.js";
import { ROOT } from "./support/packages.js";

/** What people read, beside the READMEs of packages: test/packages/readmes.test.ts looks at those. */
const pages = [...markdownIn(""), ...markdownIn("docs"), ...markdownIn("docs/wire")];

describe.each(pages)("%s", (page) => {
  const text = readFileSync(join(ROOT, page), "utf8");

  test("links to files and headings that are there", () => {
    const dead = linksOf(text).filter((link) => !/^[a-z]+:/.test(link) && !leadsSomewhere(page, link));
    expect(dead).toEqual([]);
    expect(undefinedReferences(text)).toEqual([]);
  });

  test("has charts that can be drawn", async () => {
    const charts = chartsOf(text);
    expect(await Promise.all(charts.map(faultOf))).toEqual(charts.map(() => "none"));
    expect(text.match(/^```mermaid/gm) ?? []).toHaveLength(charts.length);
  });
});

function leadsSomewhere(page: string, link: string): boolean {
  const [path = "", anchor] = link.split("#");
  const file = path === "" ? join(ROOT, page) : resolve(ROOT, dirname(page), decodeURI(path));
  if (!existsSync(file)) return false;
  return anchor === undefined || !file.endsWith(".md") || anchorsOf(readFileSync(file, "utf8")).includes(anchor);
}

/** What is wrong with a chart's text. Mermaid reads sequence charts anywhere, and some other kinds in a browser only. */
async function faultOf(chart: string): Promise<string> {
  try {
    await mermaid.parse(chart);
    return "none";
  } catch (error) {
    return String(error).includes("DOMPurify") ? "none" : String(error);
  }
}

function markdownIn(folder: string): string[] {
  const directory = join(ROOT, folder);
  const names = existsSync(directory) ? readdirSync(directory).filter((name) => name.endsWith(".md")) : [];
  return names.map((name) => relative(ROOT, join(directory, name)));
}
