import { readdir } from "node:fs/promises";
import { clipped, type ToolUse } from "./tool.js";

/** `LS`: names in a directory, sorted, directories with a slash. */
export function listDirectory(path: string): ToolUse {
  return {
    name: "LS",
    input: { directory_path: path },
    async run({ workspace }) {
      const entries = await readdir(await workspace.resolve(path), { withFileTypes: true });
      const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort();
      return names.length === 0 ? `${path} is empty.` : clipped(names.join("\n"));
    },
  };
}
