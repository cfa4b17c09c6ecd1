import { isRecord } from "@daemon-sdk/protocol";
import { textOf } from "../../content.js";
import type { PermissionSubject } from "../update-reader.js";
import { toolUpdate } from "./tool-update.js";

/**
 * What a permission request of version 2 is about: a tool call, a command, or nothing but its title. `id` names a question that
 * has no tool call.
 */
export function permissionSubject(params: Readonly<Record<string, unknown>>, id: string): PermissionSubject {
  const { title, description, subject } = params;
  const reason = textOf(description);
  const about = isRecord(subject) ? subject : {};
  const { toolCall, command, cwd } = about;
  if (about.type === "tool_call" && isRecord(toolCall) && typeof toolCall.toolCallId === "string") {
    return { toolCall: { ...toolUpdate(toolCall), toolCallId: toolCall.toolCallId }, reason };
  }
  const known = textOf(about.toolCallId);
  const alone = { toolCallId: known ?? id, title: textOf(title) ?? "Permission" };
  const isQuestionAlone = known === undefined;
  if (about.type !== "command") return { toolCall: alone, reason, isQuestionAlone };
  const toolCallFields = { title: textOf(command), kind: "execute", rawInput: { command, cwd } };
  return { toolCall: { ...alone, ...toolCallFields }, reason, isQuestionAlone };
}
