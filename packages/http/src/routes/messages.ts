import type { SendOptions } from "@daemon-sdk/client";
import { newId, type Receipt, timeLimit } from "@daemon-sdk/protocol";
import { type HttpDaemon, withOpenSession } from "../daemon/index.js";
import { HttpRefusal } from "../problem/index.js";
import { ACCEPTED, MESSAGE_PAGE, PROMPT, QUERY, RECEIPT } from "../schemas/index.js";
import { json, type Route, reading, route } from "./route.js";

/** Header that makes a repeated `POST` act once. */
const KEY_HEADER = "idempotency-key";
const KEY_CHARS = 256;

/** The conversation of a session: read it, add to it, and wait for the outcome. */
export const MESSAGE_ROUTES: readonly Route[] = [
  reading<{ limit?: number; cursor?: string; role?: string }>({
    path: "/sessions/{sessionId}/messages",
    operationId: "listMessages",
    summary: "A page of the conversation, newest first.",
    query: { limit: QUERY.messageLimit, cursor: QUERY.cursor, role: QUERY.role },
    answer: { description: "A page.", schema: MESSAGE_PAGE },
    read({ daemon, param, query }) {
      const sessionId = param("sessionId");
      return daemon.onSession(sessionId, (one) => one.getSessionMessages(sessionId, query));
    },
  }),
  route({
    method: "post",
    path: "/sessions/{sessionId}/messages",
    operationId: "sendMessage",
    summary: "Sends a prompt. It is stored when this is answered; the turn continues without the caller.",
    headers: {
      "Idempotency-Key": "Id of the message. A repeated request with the same key acts once. Default: a new UUID.",
    },
    body: PROMPT,
    answers: { 202: { description: "Stored.", schema: ACCEPTED } },
    async handle({ daemon, param, body, request, services }) {
      const sessionId = param("sessionId");
      const messageId = keyOf(request) ?? newId();
      const { text, ...attached } = body as { text: string } & SendOptions;
      const receipt = await daemon.onSession(sessionId, async (one) => {
        await withOpenSession(one, sessionId, () => one.send(sessionId, text, { ...attached, messageId }));
        return receiptOf(one, sessionId, messageId);
      });
      const path = `/sessions/${encodeURIComponent(sessionId)}/receipts/${encodeURIComponent(messageId)}`;
      return json({ messageId, receipt }, 202, { location: services.address(path) });
    },
  }),
  reading<{ wait?: number }>({
    path: "/sessions/{sessionId}/receipts/{messageId}",
    operationId: "getReceipt",
    summary: "What became of a message; waits for the end of its turn, if that is requested.",
    query: { wait: QUERY.wait },
    answer: { description: "The receipt, final or not.", schema: RECEIPT },
    async read({ daemon, param, query: { wait = 0 }, request }) {
      const [sessionId, messageId] = [param("sessionId"), param("messageId")];
      return daemon.onSession(sessionId, async (one) => {
        if (wait > 0) await untilFinal(one, { sessionId, messageId, waitMs: wait * 1_000, signal: request.signal });
        return receiptOf(one, sessionId, messageId);
      });
    },
  }),
];

/** The key of a request; quotes around it, which a draft of the header's standard requires, are no part of it. */
function keyOf(request: Request): string | undefined {
  const value = request.headers.get(KEY_HEADER) ?? undefined;
  const key = value?.replace(/^"(.*)"$/, "$1");
  if (key === undefined || (key !== "" && key.length <= KEY_CHARS)) return key;
  throw new HttpRefusal(400, "INVALID_PARAMS", `\`Idempotency-Key\` must have 1 to ${KEY_CHARS} characters.`);
}

async function receiptOf(daemon: HttpDaemon, sessionId: string, messageId: string): Promise<Receipt> {
  const [receipt] = await daemon.getReceipts(sessionId, [messageId]);
  return receipt ?? { messageId, state: "unknown" };
}

/** A message whose final receipt a request waits for. */
interface AwaitedReceipt {
  readonly sessionId: string;
  readonly messageId: string;
  readonly waitMs: number;
  /** Of the request. */
  readonly signal: AbortSignal;
}

/** Waits for the final receipt, for the end of that time, or for that of the request. */
async function untilFinal(daemon: HttpDaemon, { sessionId, messageId, waitMs, signal }: AwaitedReceipt): Promise<void> {
  const limit = timeLimit(waitMs, signal);
  try {
    await daemon.waitForReceipt(sessionId, messageId, { signal: limit.signal });
  } catch (error) {
    if (!limit.signal.aborted) throw error;
  } finally {
    limit.end();
  }
}
