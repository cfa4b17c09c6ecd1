import {
  type AskUserParams,
  type AskUserResult,
  newId,
  type PermissionOption,
  type RequestPermissionParams,
  type RequestPermissionResult,
} from "@daemon-sdk/protocol";

/** A permission request in a script. Its options default to "once" and "cancel". */
export type FakePermission = Omit<RequestPermissionParams, "sessionId" | "options"> &
  Partial<Pick<RequestPermissionParams, "options">>;

/** Questions in a script. */
export type FakeQuestions = Omit<AskUserParams, "sessionId" | "toolCallId"> &
  Partial<Pick<AskUserParams, "toolCallId">>;

/** Params and result of each request of an agent. */
export interface FakeRequests {
  request_permission: { params: RequestPermissionParams; result: RequestPermissionResult };
  ask_user: { params: AskUserParams; result: AskUserResult };
}

/** Options of a permission request without options. */
export const DEFAULT_PERMISSION_OPTIONS: RequestPermissionParams["options"] = [
  { label: "Yes, once", value: "proceed_once" },
  { label: "No", value: "cancel" },
];

/** A permission request for one tool use: for a command if its input has one, else for a tool of a server. */
export function toolPermission(
  given: { tool: string; input?: unknown; options?: readonly PermissionOption[] | undefined },
  id: string = newId(),
): FakePermission {
  const { tool: name, input = {}, options } = given;
  const command: unknown = Reflect.get(Object(input), "command");
  const details =
    typeof command === "string"
      ? { type: "exec" as const, fullCommand: command, command }
      : { type: "mcp_tool" as const, toolName: name };
  const toolUse = { type: "tool_use" as const, id, name, input };
  const named = options?.map((value) => ({ label: value, value }));
  return { toolUses: [{ toolUse, confirmationType: details.type, details }], ...(named ? { options: named } : {}) };
}

/** The result of a request that is closed without an answer. */
export const CANCELLED: { readonly [Method in keyof FakeRequests]: FakeRequests[Method]["result"] } = {
  request_permission: { selectedOption: "cancel" },
  ask_user: { cancelled: true, answers: [] },
};

/** Whether `result` answers the request: a permission by one of its own options, questions by answers to them. */
export function isAnswer(
  params: FakeRequests[keyof FakeRequests]["params"],
  result: unknown,
): result is FakeRequests[keyof FakeRequests]["result"] {
  if (typeof result !== "object" || result === null) return false;
  if ("options" in params) {
    const chosen = "selectedOption" in result ? result.selectedOption : undefined;
    return chosen === "cancel" || params.options.some(({ value }) => value === chosen);
  }
  // Answers as bare strings are refused: with them, a turn of a real daemon never ends
  // (docs/wire/session.md#questions-to-the-user).
  if (!("answers" in result) || !Array.isArray(result.answers)) return false;
  return result.answers.every((answer) => typeof answer === "object" && answer !== null && "answer" in answer);
}
