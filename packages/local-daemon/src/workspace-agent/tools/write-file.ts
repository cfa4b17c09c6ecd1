import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { isMissing, type Workspace } from "../workspace.js";
import type { ToolUse } from "./tool.js";

/** What a file is to become. */
export interface FileChange {
  readonly path: string;
  readonly text: string;
  /** True: `text` goes to the end of what is there. */
  readonly append: boolean;
}

/**
 * `Create` for a file that does not exist, `Edit` for one that does. Either asks, and shows what it is about to write.
 *
 * A path that may not be used is told when the tool runs, not before: the person sees what the agent tried.
 */
export async function writeTextFile(change: FileChange, workspace: Workspace): Promise<ToolUse> {
  const input = { file_path: change.path, content: change.text };
  try {
    const real = await workspace.resolve(change.path);
    const before = await readIfThere(real);
    const after = change.append ? (before ?? "") + change.text : change.text;
    const file = { filePath: real, fileName: basename(real) };
    return {
      name: before === undefined ? "Create" : "Edit",
      input,
      confirmation:
        before === undefined
          ? { type: "create", ...file, content: after }
          : { type: "edit", ...file, oldContent: before, newContent: after },
      async run(context) {
        await context.beforeChange(real);
        await context.workspace.write(real, after);
        return `Wrote ${workspace.show(real)} (${Buffer.byteLength(after)} bytes).`;
      },
    };
  } catch (error) {
    return { name: "Create", input, run: () => Promise.reject(error) };
  }
}

async function readIfThere(real: string): Promise<string | undefined> {
  try {
    return await readFile(real, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
