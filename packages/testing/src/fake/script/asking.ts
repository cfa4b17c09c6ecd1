import {
  type AskUserParams,
  type AskUserResult,
  newId,
  type PermissionOption,
  type RequestPermissionParams,
  type RequestPermissionResult,
} from "@daemon-sdk/protocol";

/** A permission request as a test writes it: options default to "once" and "cancel". */
export type FakePermission = Omit<RequestPermissionParams, "sessionId" | "options"> &
  Partial<Pick<RequestPermissionParams, "options">>;

/** Questions as a test writes them. */
export type FakeQuestions = Omit<AskUserParams, "sessionId" | "toolCallId"> &
  Partial<Pick<AskUserParams, "toolCallId">>;

/** A request of the agent, and what its answer looks like. */
export interface FakeRequests {
  request_permission: { params: RequestPermissionParams; result: RequestPermissionResult };
  ask_user: { params: AskUserParams; result: AskUserResult };
}

/** Options of a permission request that names none. */
export const DEFAULT_PERMISSION_OPTIONS: RequestPermissionParams["options"] = [
  { label: "Yes, once", value: "proceed_once" },
  { label: "No", value: "cancel" },
];

/** A permission request for one tool use: a command where its input has one, else a tool of a server. */
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

/** The answer that stands for nobody's answer. */
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
  // Answers as bare strings are refused: a real daemon's turn is stuck on them
  // (docs/wire/session.md#questions-to-the-user).
  if (!("answers" in result) || !Array.isArray(result.answers)) return false;
  return result.answers.every((answer) => typeof answer === "object" && answer !== null && "answer" in answer);
}
