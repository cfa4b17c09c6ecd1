/** Where a Markdown text links to, inline or by reference, in the order they are written. Code is no link. */
export function linksOf(text: string): string[] {
  const prose = withoutCode(text);
  const inline = [...prose.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)];
  const defined = [...prose.matchAll(/^\[[^\]]+\]:\s+(\S+)/gm)];
  return [...inline, ...defined].map(([, target]) => target ?? "");
}

/**
 * The labels of links by reference, `[text][label]` or `[docs/errors.md]`, that are defined nowhere: such a link is shown
 * as it is written.
 */
export function undefinedReferences(text: string): string[] {
  const prose = withoutCode(text);
  const references = [...prose.matchAll(/\]\[([^\]]+)\]|\[([^\]\s]+\.md)\](?![([:])/g)];
  const labels = references.map(([, full, short]) => full ?? short ?? "");
  return labels.filter((label) => !prose.includes(`\n[${label}]: `));
}

/** The names by which the usual hosts of repositories let one link to the headings of a text. */
export function anchorsOf(text: string): string[] {
  const headings = [...text.replaceAll(/^```[\s\S]*?^```/gm, "").matchAll(/^#{1,6} +(.+)$/gm)];
  const seen = new Map<string, number>();
  return headings.map(([, heading = ""]) => {
    const slug = slugOf(heading);
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${times}`;
  });
}

/** The texts of the Mermaid charts of a page. */
export function chartsOf(text: string): string[] {
  return [...text.matchAll(/^```mermaid\n([\s\S]*?)^```$/gm)].map(([, chart]) => chart ?? "");
}

function slugOf(heading: string): string {
  const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
  return plain
    .replaceAll(/[^\p{L}\p{N}\p{M}\s_-]/gu, "")
    .trim()
    .replaceAll(" ", "-");
}

function withoutCode(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, "").replaceAll(/`[^`\n]*`/g, "``");
}
