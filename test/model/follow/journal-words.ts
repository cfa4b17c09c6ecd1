import assert from "node:assert/strict";
import { type FollowedEvent, MessageBridge } from "@daemon-sdk/client";
import { isPosition, type Position, type SessionEntry } from "@daemon-sdk/protocol";
import { RawClient } from "../../faults/support/raw-client.js";

/** An event as a follower got it, or as an entry of the journal stands for it. */
export interface Word {
  readonly type: string;
  /** The position as the gateway writes it: epoch, seq, and the part where there is one. */
  readonly id: string;
  readonly turnId?: string | undefined;
  /** Of a result: the answer. */
  readonly text?: string | undefined;
  /** Of a delta. */
  readonly delta?: string | undefined;
}

/** Events that every follower gets, also without `includePartialMessages`. */
const WHOLE = new Set([
  "assistant",
  "user",
  "tool_call",
  "tool_result",
  "hook",
  "error",
  "session_notice",
  "request_opened",
  "gap",
  "result",
]);

/** Whether a follower without partial messages gets it. */
export function isWhole({ type }: Word): boolean {
  return WHOLE.has(type);
}

/** Both in one text, to compare. */
export function textOf({ type, id }: Word): string {
  return `${type} ${id}`;
}

/** A position as the gateway writes it. */
export function idOf({ epoch, seq, part }: FollowedEvent["position"]): string {
  return part === undefined ? `${epoch}.${seq}` : `${epoch}.${seq}.${part}`;
}

/** A session's entries after a position, as a client reads them that shares no code with `follow`. */
export async function readJournal(
  { url, token }: { readonly url: string; readonly token: string },
  sessionId: string,
  begin: Position,
): Promise<SessionEntry[]> {
  using raw = await RawClient.connect(url, token);
  const entries: SessionEntry[] = [];
  for (let after = begin; ; ) {
    const { result, error } = await raw.call("get_session_events", { sessionId, after, token, includeRequests: true });
    assert.equal(error, undefined);
    const page = (result?.events ?? []) as SessionEntry[];
    if (page.length === 0) return entries;
    entries.push(...page);
    assert.ok(isPosition(result?.position));
    after = result.position;
  }
}

/** The events that entries stand for: what everybody who follows has to get. */
export function wordsOf(entries: readonly SessionEntry[]): Word[] {
  const bridge = new MessageBridge({ includePartialMessages: true });
  const ended = new Set<string>();
  return entries.flatMap(({ epoch, seq, turnId, notification }) => {
    const types = bridge.push(notification).map(({ type }) => type as string);
    if (notification.type === "agent_turn_completed" && turnId !== undefined && !ended.has(turnId)) {
      types.push("result");
      ended.add(turnId);
    }
    return types.map((type, index) => {
      const isLast = index === types.length - 1;
      return { type, turnId, id: idOf(isLast ? { epoch, seq } : { epoch, seq: seq - 1, part: index + 1 }) };
    });
  });
}
