import * as z from "zod/mini";
import { LIMITS } from "../limits/index.js";
import type {
  AddUserMessageResult,
  AnswerRequestParams,
  CreateTicketResult,
  DeleteSessionParams,
  FollowSessionParams,
  FollowSessionResult,
  GetReceiptsParams,
  GetReceiptsResult,
  GetSessionEventsParams,
  GetSessionEventsResult,
  GetTurnEventsParams,
  GetTurnEventsResult,
  GrantCreditParams,
  InboxRequest,
  ListRequestsParams,
  ListRequestsResult,
  OpenConsoleResult,
  Receipt,
  ReloadConfigurationParams,
  ReloadConfigurationResult,
  ResumeSessionParams,
  ResumeSessionResult,
} from "../session/index.js";
import { boundedName } from "./bounded.js";
import { creditSchema } from "./params.js";
import {
  askUserParamsSchema,
  askUserResultSchema,
  pendingAskUserSchema,
  pendingPermissionSchema,
  requestPermissionParamsSchema,
  requestPermissionResultSchema,
} from "./requests.js";
import { positionSchema, sessionMessageSchema, tokenUsageSchema } from "./values.js";

const text = z.string();
const id = boundedName("idChars");
const time = z.number();
const count = z.int().check(z.minimum(0));

/** Schema of {@link ResumeSessionParams}. */
export const resumeSessionParamsSchema: z.ZodMiniType<ResumeSessionParams> = z.looseObject({
  sessionId: id,
  after: positionSchema,
  credit: z.exactOptional(creditSchema),
});

/** Schema of {@link ResumeSessionResult}. */
export const resumeSessionResultSchema: z.ZodMiniType<ResumeSessionResult> = z.looseObject({
  position: positionSchema,
  workingState: text,
  isAgentLoopInProgress: z.boolean(),
  pendingPermissions: z.array(pendingPermissionSchema),
  pendingAskUserRequests: z.array(pendingAskUserSchema),
});

/** Schema of {@link DeleteSessionParams}. */
export const deleteSessionParamsSchema: z.ZodMiniType<DeleteSessionParams> = z.looseObject({
  sessionId: id,
  force: z.exactOptional(z.boolean()),
});

/** Schema of {@link FollowSessionParams}. */
export const followSessionParamsSchema: z.ZodMiniType<FollowSessionParams> = z.looseObject({
  sessionId: id,
  credit: creditSchema,
});

/** Schema of {@link FollowSessionResult}. */
export const followSessionResultSchema: z.ZodMiniType<FollowSessionResult> = z.looseObject({
  position: positionSchema,
  workingState: z.exactOptional(text),
  isAgentLoopInProgress: z.exactOptional(z.boolean()),
});

/** Schema of {@link GrantCreditParams}. */
export const grantCreditParamsSchema: z.ZodMiniType<GrantCreditParams> = z.looseObject({
  sessionId: id,
  events: count,
  bytes: count,
});

/** Schema of {@link GetReceiptsParams}. */
export const getReceiptsParamsSchema: z.ZodMiniType<GetReceiptsParams> = z.looseObject({
  sessionId: id,
  messageIds: z.array(id).check(z.maxLength(LIMITS.receiptsPerCall)),
  waitMs: z.exactOptional(count),
});

/** Schema of {@link Receipt}. */
export const receiptSchema: z.ZodMiniType<Receipt> = z.looseObject({
  messageId: text,
  state: text,
  reason: z.exactOptional(text),
  acceptedAt: z.exactOptional(time),
  endedAt: z.exactOptional(time),
  text: z.exactOptional(text),
  firstSeq: z.exactOptional(count),
  lastSeq: z.exactOptional(count),
  tokenUsage: z.exactOptional(tokenUsageSchema),
});

/** Schema of {@link AddUserMessageResult}. */
export const addUserMessageResultSchema: z.ZodMiniType<AddUserMessageResult> = z.looseObject({
  accepted: z.exactOptional(z.boolean()),
  receipt: z.exactOptional(receiptSchema),
});

/** Schema of {@link GetTurnEventsParams}. */
export const getTurnEventsParamsSchema: z.ZodMiniType<GetTurnEventsParams> = z.looseObject({
  sessionId: id,
  messageId: id,
  fromSeq: z.exactOptional(count),
});

/** Schema of {@link GetTurnEventsResult}. */
export const getTurnEventsResultSchema: z.ZodMiniType<GetTurnEventsResult> = z.looseObject({
  receipt: receiptSchema,
  events: z.array(
    z.looseObject({ epoch: z.exactOptional(count), seq: count, notification: z.looseObject({ type: text }) }),
  ),
  nextSeq: z.exactOptional(count),
  messages: z.exactOptional(z.array(sessionMessageSchema)),
});

/** Schema of {@link GetSessionEventsParams}. */
export const getSessionEventsParamsSchema: z.ZodMiniType<GetSessionEventsParams> = z.looseObject({
  sessionId: id,
  after: z.exactOptional(positionSchema),
  waitMs: z.exactOptional(count),
  includeRequests: z.exactOptional(z.boolean()),
  runs: z.exactOptional(z.boolean()),
});

/** Schema of {@link GetSessionEventsResult}. */
export const getSessionEventsResultSchema: z.ZodMiniType<GetSessionEventsResult> = z.looseObject({
  events: z.array(
    z.looseObject({
      epoch: count,
      seq: count,
      turnId: z.exactOptional(text),
      notification: z.looseObject({ type: text }),
    }),
  ),
  runs: z.exactOptional(
    z.array(
      z.looseObject({
        epoch: count,
        seq: count,
        turnId: z.exactOptional(text),
        notifications: z.array(z.looseObject({ type: text })),
      }),
    ),
  ),
  position: positionSchema,
  isIncomplete: z.exactOptional(z.literal(true)),
});

/** Schema of {@link GetReceiptsResult}. */
export const getReceiptsResultSchema: z.ZodMiniType<GetReceiptsResult> = z.looseObject({
  receipts: z.array(receiptSchema),
});

/** Schema of {@link ListRequestsParams}. */
export const listRequestsParamsSchema: z.ZodMiniType<ListRequestsParams> = z.looseObject({
  sessionId: z.exactOptional(id),
});

const inboxRequest = { requestId: text, sessionId: text, createdAt: time, deadlineAt: z.exactOptional(time) };

/** Schema of {@link InboxRequest}. */
export const inboxRequestSchema: z.ZodMiniType<InboxRequest> = z.discriminatedUnion("method", [
  z.looseObject({ ...inboxRequest, method: z.literal("request_permission"), params: requestPermissionParamsSchema }),
  z.looseObject({ ...inboxRequest, method: z.literal("ask_user"), params: askUserParamsSchema }),
]);

/** Schema of {@link ListRequestsResult}. */
export const listRequestsResultSchema: z.ZodMiniType<ListRequestsResult> = z.looseObject({
  requests: z.array(inboxRequestSchema),
});

/** Schema of {@link AnswerRequestParams}. The daemon checks whether the request offers that answer. */
export const answerRequestParamsSchema: z.ZodMiniType<AnswerRequestParams> = z.looseObject({
  requestId: id,
  result: z.union([requestPermissionResultSchema, askUserResultSchema]),
});

/** Schema of {@link CreateTicketResult}. */
export const createTicketResultSchema: z.ZodMiniType<CreateTicketResult> = z.looseObject({
  ticket: text,
  expiresAt: time,
});

/** Schema of {@link OpenConsoleResult}. */
export const openConsoleResultSchema: z.ZodMiniType<OpenConsoleResult> = z.looseObject({
  url: text,
  expiresAt: time,
});

/** Schema of {@link ReloadConfigurationParams}. */
export const reloadConfigurationParamsSchema: z.ZodMiniType<ReloadConfigurationParams> = z.looseObject({
  check: z.exactOptional(z.boolean()),
});

/** Schema of {@link ReloadConfigurationResult}. */
export const reloadConfigurationResultSchema: z.ZodMiniType<ReloadConfigurationResult> = z.looseObject({
  applied: z.array(text),
  atNextStart: z.array(text),
});
