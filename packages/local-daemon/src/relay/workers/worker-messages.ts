import {
  type AckPayload,
  bodyText,
  type ChannelMessagePayload,
  type RelayEnvelope,
  type SendMeta,
  type SendPayload,
} from "@daemon-sdk/protocol/relay";
import type { Post } from "../mailboxes/index.js";
import type { TaskAnswer } from "./task-agent.js";

/** Marks what a worker answers. It is no prompt for another worker, or two workers would answer each other without end. */
const ANSWER_MARK = "_workerAnswer";

/** A message to a worker. */
export type Deliver = RelayEnvelope<"DELIVER">;

/** Whether a message is a prompt. Kinds `state` and `thinking`, copies for shadows and answers of workers are none. */
export function isPrompt({ payload: { kind, data } }: Deliver): boolean {
  if (kind === "state" || kind === "thinking") return false;
  return data?.[ANSWER_MARK] !== true && data?._shadowCopy !== true && data?._isSystemMessage !== true;
}

/** Whether a channel message is a prompt for the worker of that name: it mentions the worker, and is no worker's answer. */
export function isMention({ from, payload }: RelayEnvelope<"CHANNEL_MESSAGE">, name: string): boolean {
  return from !== undefined && payload.data?.[ANSWER_MARK] !== true && payload.mentions?.includes(name) === true;
}

/** The answer to a message: in the sender's thread, and under the sender's correlation id in both places where it may be. */
export function answerPost(name: string, { id, from, payload, payload_meta }: Deliver, answer: TaskAnswer): Post {
  const correlation = payload_meta?.replyTo ?? correlationIn(payload.data);
  const meta: SendMeta = correlation === undefined ? {} : { replyTo: correlation };
  const data = {
    [ANSWER_MARK]: true,
    _isResponse: true,
    ...(correlation === undefined ? {} : { _correlationId: correlation }),
    ...(answer.reason === "completed" ? {} : { _reason: answer.reason }),
  };
  const thread = payload.thread === undefined ? {} : { thread: payload.thread };
  const body: SendPayload = { kind: "message", body: answer.text, data, ...thread };
  return {
    from: name,
    to: from,
    payload: body,
    ...(correlation === undefined ? {} : { payload_meta: meta }),
    refId: id,
  };
}

/** What the sender of a message gets in place of an answer that cannot be delivered. */
export function failurePost(answer: Post, why: string): Post {
  const body = `The answer of ${bodyText(answer.payload.body).length} characters could not be delivered. ${why}`;
  return { ...answer, payload: { ...answer.payload, body } };
}

/** The answer to a blocking SEND (docs/wire/relay.md#blocking-sends). */
export function answerAck({ id, delivery }: Deliver, correlationId: string, { text, reason }: TaskAnswer): AckPayload {
  const response = reason === "completed" ? "OK" : "ERROR";
  return { ack_id: id, seq: delivery.seq, correlationId, response, responseData: text };
}

/** The answer to a mention, in its channel and thread. */
export function channelAnswer(
  { channel, thread }: ChannelMessagePayload,
  { text, reason }: TaskAnswer,
): ChannelMessagePayload {
  const data = { [ANSWER_MARK]: true, ...(reason === "completed" ? {} : { _reason: reason }) };
  return { channel, body: text, data, ...(thread === undefined ? {} : { thread }) };
}

function correlationIn(data: Record<string, unknown> | undefined): string | undefined {
  return typeof data?._correlationId === "string" ? data._correlationId : undefined;
}
