import { existsSync } from "node:fs";
import { dirname, relative, resolve, sep } from "node:path";
import type { MarkdownRenderer } from "vitepress";

/** Where the sources are shown. */
export const REPOSITORY = "https://github.com/daemon-sdk/daemon-sdk";

/** What a page is rendered with, as far as it matters here. */
interface PageEnvironment {
  readonly path?: string;
  readonly realPath?: string;
}

/** The names of headings on the usual hosts of repositories, so that a link to one holds there and on the site. */
export function slugify(heading: string): string {
  const plain = heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}\s_-]/gu, "");
  return plain.replaceAll(" ", "-");
}

/**
 * Links from a page to a file that is no page, such as a test, lead to its source in the repository.
 *
 * A file that is not there fails the build. Links between pages are checked by VitePress.
 */
export function linksIntoRepository(md: MarkdownRenderer, docs: string): void {
  md.core.ruler.push("links-into-repository", ({ tokens, env }) => {
    const { realPath, path } = env as PageEnvironment;
    const page = realPath ?? path;
    if (page === undefined) return;
    for (const token of tokens.flatMap((token) => token.children ?? [])) {
      const href = token.type === "link_open" ? token.attrGet("href") : null;
      if (href === null || /^([a-z]+:|#|\/)/.test(href)) continue;
      const [target = "", anchor] = href.split("#");
      const file = resolve(dirname(page), decodeURI(target));
      if (file.startsWith(docs + sep) && file.endsWith(".md")) continue;
      if (!existsSync(file)) throw new Error(`${page} links to ${href}, which is not there.`);
      const address = `${REPOSITORY}/blob/main/${relative(dirname(docs), file)}`;
      token.attrSet("href", anchor === undefined ? address : `${address}#${anchor}`);
    }
  });
}

/** Makes a chart of every fence that is marked `mermaid`; without scripts its text is shown. */
export function mermaidCharts(md: MarkdownRenderer): void {
  const { fence } = md.renderer.rules;
  md.renderer.rules.fence = (tokens, index, options, env, self) => {
    const token = tokens[index];
    if (token?.info.trim() !== "mermaid") return fence?.(tokens, index, options, env, self) ?? "";
    return `<MermaidChart text="${encodeURIComponent(token.content)}" />`;
  };
}
