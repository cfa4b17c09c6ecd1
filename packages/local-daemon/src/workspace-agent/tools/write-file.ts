import { basename } from "node:path";
import type { ConfirmationDetails } from "@daemon-sdk/protocol";
import { isMissing, type Workspace } from "../../workspace/index.js";
import { MAX_FILE_BYTES, type ToolUse } from "./tool.js";

/** A change of a file. */
export interface FileChange {
  readonly path: string;
  readonly text: string;
  /** True: appends `text`. */
  readonly append: boolean;
}

/**
 * `Create` for a new file, `Edit` for an existing one. Both need permission, and show the new content in the request.
 *
 * The file is replaced only if it still has the content that the request showed: a change made meanwhile is kept. A forbidden
 * path is refused when the tool runs and not before, so that the user sees the attempt.
 */
export async function writeTextFile(change: FileChange, workspace: Workspace): Promise<ToolUse> {
  const input = { file_path: change.path, content: change.text };
  try {
    const real = await workspace.resolve(change.path);
    const before = await readIfThere(workspace, real);
    const added = Buffer.from(change.text);
    // Bytes and not text: the present content may be no UTF-8, and must not change.
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
