import { readFile, stat } from "node:fs/promises";
import { ProtocolError } from "@daemon-sdk/protocol";
import { clipped, type ToolUse } from "./tool.js";

/** Largest file that is read at all; a result is shorter still. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** `Read`: a file's text. */
export function readTextFile(path: string): ToolUse {
  return {
    name: "Read",
    input: { file_path: path },
    async run({ workspace }) {
      const real = await workspace.resolve(path);
      const { size } = await stat(real);
      if (size > MAX_FILE_BYTES) {
        throw new ProtocolError("INVALID_PARAMS", `${path} has ${size} bytes; the limit is ${MAX_FILE_BYTES}.`);
      }
      return clipped(await readFile(real, "utf8"));
    },
  };
}
