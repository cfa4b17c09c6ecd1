import * as z from "zod/mini";
import type {
  AskUserParams,
  AskUserQuestion,
  AskUserResult,
  PendingAskUser,
  PendingPermission,
  PermissionToolUse,
  RequestPermissionParams,
  RequestPermissionResult,
} from "../session/index.js";
import { bounded, boundedList } from "./bounded.js";
import { toolUseSchema } from "./values.js";

// Facts of the wire: docs/wire/session.md#permission-requests

const text = z.string();

const permissionToolUseSchema: z.ZodMiniType<PermissionToolUse> = z.looseObject({
  toolUse: toolUseSchema,
  confirmationType: text,
  details: z.looseObject({ type: text }),
});

const permission = {
  toolUses: z.array(permissionToolUseSchema),
  options: z.array(z.looseObject({ label: text, value: text })),
  associatedSessionIds: z.exactOptional(z.array(text)),
};

/** Schema of {@link RequestPermissionParams}. */
export const requestPermissionParamsSchema: z.ZodMiniType<RequestPermissionParams> = z.looseObject({
  sessionId: text,
  ...permission,
});

/** Schema of {@link RequestPermissionResult}; `proceed_edit` requires the edited text. */
export const requestPermissionResultSchema: z.ZodMiniType<RequestPermissionResult> = z
  .looseObject({
    selectedOption: bounded("nameChars"),
    comment: z.exactOptional(bounded("commentChars")),
    editedSpecContent: z.exactOptional(bounded("documentChars")),
    sessionId: z.exactOptional(bounded("idChars")),
  })
  .check(
    z.refine(
      (result) => result.selectedOption !== "proceed_edit" || result.editedSpecContent !== undefined,
      "proceed_edit needs editedSpecContent",
    ),
  );

const deadlineAt = z.exactOptional(z.number());

/** Schema of {@link PendingPermission}. */
export const pendingPermissionSchema: z.ZodMiniType<PendingPermission> = z.looseObject({
  requestId: text,
  deadlineAt,
  ...permission,
});

const askUserQuestionSchema: z.ZodMiniType<AskUserQuestion> = z.looseObject({
  index: z.number(),
  topic: text,
  question: text,
  options: z.array(text),
});

const questions = { toolCallId: text, questions: z.array(askUserQuestionSchema) };

/** Schema of {@link AskUserParams}. */
export const askUserParamsSchema: z.ZodMiniType<AskUserParams> = z.looseObject({ sessionId: text, ...questions });

/** Schema of {@link AskUserResult}. Answers as bare strings are refused, because with them a turn of a real daemon never ends. */
export const askUserResultSchema: z.ZodMiniType<AskUserResult> = z.looseObject({
  cancelled: z.exactOptional(z.boolean()),
  answers: boundedList(
    z.looseObject({ index: z.number(), question: bounded("commentChars"), answer: bounded("commentChars") }),
    "listedItems",
  ),
  sessionId: z.exactOptional(bounded("idChars")),
});

/** Schema of {@link PendingAskUser}. */
export const pendingAskUserSchema: z.ZodMiniType<PendingAskUser> = z.looseObject({
  requestId: text,
  deadlineAt,
  ...questions,
});
