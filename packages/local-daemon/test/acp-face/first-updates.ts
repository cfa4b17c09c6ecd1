import type { Update } from "./editor.js";

/** An update of version 2 of the protocol in the words of version 1, which is what an editor gets. */
export function firstUpdate(update: Update): Update {
  if (update.sessionUpdate !== "tool_call_update") return update;
  const content = update.content as readonly Record<string, unknown>[] | undefined;
  return content === undefined ? update : { ...update, content: content.flatMap(firstContent) };
}

/** The recorded patches have one hunk, each line of it with a mark. */
function firstContent(item: Record<string, unknown>): Record<string, unknown>[] {
  if (item.type !== "diff" || item.patch === undefined) return [item];
  const { text } = item.patch as { text: string };
  const lines = text.slice(text.indexOf("\n", text.indexOf("\n@@ ") + 1) + 1).split("\n");
  const side = (mark: string) =>
    lines.flatMap((line) => (line.startsWith(" ") || line.startsWith(mark) ? [`${line.slice(1)}\n`] : [])).join("");
  const [{ path }] = item.changes as [{ path: string }];
  return [{ type: "diff", path, oldText: side("-"), newText: side("+"), _meta: item._meta }];
}
