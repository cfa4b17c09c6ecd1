import { basename } from "node:path";
import type { ConfirmationDetails } from "@daemon-sdk/protocol";
import { isMissing, type Workspace } from "../workspace.js";
import { MAX_FILE_BYTES, type ToolUse } from "./tool.js";

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
 * What is written replaces what the person was shown, and nothing else: a change that somebody made meanwhile is kept.
 * A path that may not be used is told when the tool runs, not before: the person sees what the agent tried.
 */
export async function writeTextFile(change: FileChange, workspace: Workspace): Promise<ToolUse> {
  const input = { file_path: change.path, content: change.text };
  try {
    const real = await workspace.resolve(change.path);
    const before = await readIfThere(workspace, real);
    const added = Buffer.from(change.text);
    // Bytes and not text: what is there may be no UTF-8, and stays as it is.
    const after = change.append ? Buffer.concat([before ?? Buffer.alloc(0), added]) : added;
    return {
      name: before === undefined ? "Create" : "Edit",
      input,
      confirmation: confirmationOf(real, before, after),
      async run(context) {
        await context.beforeChange(real);
        await context.workspace.replace(real, before, after);
        return `Wrote ${workspace.show(real)} (${after.byteLength} bytes).`;
      },
    };
  } catch (error) {
    return { name: "Create", input, run: () => Promise.reject(error) };
  }
}

function confirmationOf(real: string, before: Buffer | undefined, after: Buffer): ConfirmationDetails {
  const file = { filePath: real, fileName: basename(real) };
  const newContent = after.toString("utf8");
  if (before === undefined) return { type: "create", ...file, content: newContent };
  return { type: "edit", ...file, oldContent: before.toString("utf8"), newContent };
}

async function readIfThere(workspace: Workspace, real: string): Promise<Buffer | undefined> {
  try {
    return await workspace.read(real, MAX_FILE_BYTES);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
