import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { clipped, type ToolContext, type ToolUse } from "./tool.js";

/** Directories with generated content. */
const SKIPPED = new Set([".git", "node_modules"]);
/** Matches after which the search ends. */
const MAX_MATCHES = 200;
/** Larger files are skipped. */
const MAX_FILE_BYTES = 1024 * 1024;

/** `Grep`: lines that contain a text, in files below a directory, as `path:line: text`. Links are not followed. */
export function searchFiles(text: string, path: string): ToolUse {
  return {
    name: "Grep",
    input: { pattern: text, path },
    async run(context) {
      const matches: string[] = [];
      for await (const file of filesBelow(await context.workspace.resolve(path), context)) {
        await collect(file, text, context, matches);
        if (matches.length >= MAX_MATCHES) break;
      }
      if (matches.length === 0) return `No line holds "${text}".`;
      const more = matches.length >= MAX_MATCHES ? `\n… (stopped after ${MAX_MATCHES} matches)` : "";
      return clipped(matches.slice(0, MAX_MATCHES).join("\n")) + more;
    },
  };
}

async function* filesBelow(directory: string, context: ToolContext): AsyncGenerator<string> {
  context.signal.throwIfAborted();
  if (context.workspace.isClosed(directory)) return;
  const entries = await readdir(directory, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    if (entry.isDirectory() && !SKIPPED.has(entry.name)) yield* filesBelow(path, context);
    else if (entry.isFile()) yield path;
  }
}

async function collect(file: string, text: string, { workspace }: ToolContext, matches: string[]): Promise<void> {
  // A file that is too large, was deleted or is no longer a regular file is no match.
  const bytes = await workspace.read(file, MAX_FILE_BYTES).catch(() => undefined);
  const content = bytes?.toString("utf8") ?? "";
  // A file with a NUL is binary.
  if (!content.includes(text) || content.includes("\0")) return;
  content.split("\n").forEach((line, index) => {
    if (line.includes(text)) matches.push(`${workspace.show(file)}:${index + 1}: ${line}`);
  });
}
