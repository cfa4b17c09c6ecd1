import { clipped, MAX_FILE_BYTES, type ToolUse } from "./tool.js";

/** `Read`: a file's text. */
export function readTextFile(path: string): ToolUse {
  return {
    name: "Read",
    input: { file_path: path },
    async run({ workspace }) {
      const real = await workspace.resolve(path);
      return clipped((await workspace.read(real, MAX_FILE_BYTES)).toString("utf8"));
    },
  };
}
