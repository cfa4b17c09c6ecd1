import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type DefaultTheme, defineConfig } from "vitepress";
import { linksIntoRepository, mermaidCharts, REPOSITORY, slugify } from "./markdown.js";

const DOCS = dirname(dirname(fileURLToPath(import.meta.url)));
/** In this order; every other page of the folder comes behind them. */
const FIRST = ["api-design.md", "architecture.md", "guarantees.md", "protocol.md"];

export default defineConfig({
  title: "daemon-sdk",
  description:
    "An SDK and a daemon for coding agents: one daemon, many agents; one socket, many sessions; nothing lost.",
  lang: "en",
  cleanUrls: true,
  lastUpdated: false,
  metaChunk: true,
  markdown: {
    anchor: { slugify },
    config(md) {
      linksIntoRepository(md, DOCS);
      mermaidCharts(md);
    },
  },
  themeConfig: {
    search: { provider: "local" },
    socialLinks: [{ icon: "github", link: REPOSITORY }],
    outline: [2, 3],
    // TypeDoc's pages, which this site's router does not know.
    nav: [{ text: "API", link: "/api/", target: "_self" }],
    sidebar: [
      { text: "Guide", items: pagesOf(".", FIRST) },
      { text: "Wires", items: pagesOf("wire") },
    ].filter(({ items }) => items.length > 0),
  },
});

/** The pages of a folder, those named in `first` before the others. The start page is none of them. */
function pagesOf(folder: string, first: readonly string[] = []): DefaultTheme.SidebarItem[] {
  const names = markdownFiles(join(DOCS, folder)).filter((name) => name !== "index.md" || folder !== ".");
  const ordered = [...first.filter((name) => names.includes(name)), ...names.filter((name) => !first.includes(name))];
  return ordered.map((name) => {
    const path = join(DOCS, folder, name);
    return { text: titleOf(path), link: `/${relative(DOCS, path).replace(/(index)?\.md$/, "")}` };
  });
}

function markdownFiles(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith(".md"));
  } catch {
    return [];
  }
}

function titleOf(path: string): string {
  return /^# +(.+)$/m.exec(readFileSync(path, "utf8"))?.[1]?.replaceAll("\\", "") ?? relative(DOCS, path);
}
