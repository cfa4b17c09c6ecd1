import type { TraceContext } from "@daemon-sdk/protocol";
import type { Agent, AgentFault } from "../agents/index.js";
import type { JournalReader } from "../journal/index.js";
import type { TurnRow } from "../storage/index.js";
import type { LargePrompt } from "./prompts.js";

/** A turn that has not ended. */
export interface OpenTurn {
  row: TurnRow;
  /** The client that sent the prompt; undefined after a restart. */
  readonly starter: JournalReader | undefined;
  /** First journal entry of the turn; set when the turn starts. */
  firstSeq: number | undefined;
  /** Wall clock of the hand-over to the agent; undefined before. */
  handedAt: number | undefined;
  /** The trace that the agent's work belongs to; set at the hand-over. */
  agentTrace: TraceContext | undefined;
  /** Ends the wait for the agent; set when the turn starts. */
  abort: AbortController | undefined;
  /** Set while the agent has the prompt. */
  agent: Agent | undefined;
  /** Settles when the agent has acknowledged the prompt, or has refused it; set with `agent`. */
  taken: Promise<void> | undefined;
  /** The first message of the agent in this turn that could not be delivered. */
  loss: AgentFault | undefined;
  /** Why the daemon interrupts it, for its clients. */
  why: string | undefined;
  /** Timer for the end of an interrupted turn. */
  timer: NodeJS.Timeout | undefined;
}

/** How a message came. */
export interface IncomingMessage {
  /** JSON-RPC id of its request. */
  readonly requestId: string;
  /** The client that sent it. */
  readonly starter: JournalReader;
  readonly large?: LargePrompt | undefined;
  /** The trace of its client. */
  readonly trace?: TraceContext | undefined;
}

/** A queued turn. */
export function openTurn(row: TurnRow, starter?: JournalReader): OpenTurn {
  return {
    row,
    starter,
    firstSeq: undefined,
    handedAt: undefined,
    agentTrace: undefined,
    abort: undefined,
    agent: undefined,
    taken: undefined,
    loss: undefined,
    why: undefined,
    timer: undefined,
  };
}

/** The row of a new message. */
export function acceptedRow(
  prompt: { readonly bytes: number; readonly digest?: string },
  place: Pick<TurnRow, "sessionId" | "id" | "ordinal" | "requestId" | "createdAt" | "trace">,
): TurnRow {
  const { bytes, digest } = prompt;
  const row: TurnRow = { ...place, state: "accepted", promptBytes: bytes, reason: undefined, endedAt: undefined };
  return digest === undefined ? row : { ...row, promptDigest: digest };
}
