import { isRecord, type SessionId, type SessionStateSnapshot, type TokenUsage, usageSince } from "@daemon-sdk/protocol";
import type { AgentBound, AgentEvents, AgentReady, HeldAgent } from "../agents/index.js";
import type { CarriedRequest } from "../inbox/index.js";
import type { CarriedTurn } from "../turns/index.js";

/** What only memory has of a session whose agent runs on when the daemon is replaced, as plain data. */
export interface CarriedSession {
  readonly sessionId: SessionId;
  readonly bound: AgentBound;
  readonly state: SessionStateSnapshot;
  readonly turn: CarriedTurn | undefined;
  readonly requests: readonly CarriedRequest[];
  readonly memory: SessionMemory;
  readonly availableModels: AgentReady["availableModels"];
  readonly keepsAgent: boolean;
  readonly inactivityTimeoutMs: number | undefined;
}

/** What a session notes of its agent's output. */
export interface SessionMemory {
  /** The turn that reported usage last, and the running total before it did. */
  usage: { readonly turnId: string; readonly before?: TokenUsage | undefined } | undefined;
  /** The last title in the journal. */
  statedTitle: unknown;
}

/** Before the total of a conversation changes: remembers what it was when the turn began. */
export function noteUsage(memory: SessionMemory, turnId: string | undefined, total: TokenUsage | undefined): void {
  const isNew = turnId !== undefined && memory.usage?.turnId !== turnId;
  if (isNew) memory.usage = { turnId, before: total };
}

/** What a turn used. Agents report the running total of the conversation, several times in a turn. */
export function usageOfTurn(
  { usage }: SessionMemory,
  turnId: string | undefined,
  total: TokenUsage | undefined,
): TokenUsage | undefined {
  if (total === undefined || usage?.turnId !== turnId) return undefined;
  return usageSince(total, usage?.before);
}

/** A session of an earlier daemon whose agent runs on. */
export interface HeldSession {
  readonly carried: CarriedSession;
  /** Its agent, with the receiver of its events. */
  adopt(events: AgentEvents): HeldAgent;
}

/** Whether that is one, as far as it is not only of this daemon's own kind. */
export function isCarriedSession(value: unknown): value is CarriedSession {
  return (
    isRecord(value) &&
    typeof value.sessionId === "string" &&
    isRecord(value.bound) &&
    isRecord(value.state) &&
    isRecord(value.memory) &&
    Array.isArray(value.requests)
  );
}
