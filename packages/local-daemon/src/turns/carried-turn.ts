import type { Agent, AgentFault } from "../agents/index.js";
import type { OpenTurn } from "./open-turn.js";

/** What only memory has of a running turn, as plain data. */
export interface CarriedTurn {
  readonly id: string;
  readonly firstSeq: number | undefined;
  readonly handedAt?: number | undefined;
  /** Whether the turn was interrupted, and has not ended yet. */
  readonly isInterrupted: boolean;
  readonly loss?: AgentFault | undefined;
}

/** A running turn of an earlier daemon, and the agent that works on it. */
export interface HeldTurn {
  readonly turn: CarriedTurn;
  readonly agent: Agent;
  readonly taken: Promise<void>;
}

/** The turn as plain data. */
export function carriedTurn({ row, firstSeq, handedAt, timer, loss }: OpenTurn): CarriedTurn {
  return { id: row.id, firstSeq, handedAt, isInterrupted: timer !== undefined, loss };
}
