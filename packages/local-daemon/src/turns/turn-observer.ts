import type { TraceContext } from "@daemon-sdk/protocol";
import type { OpenTurn } from "./open-turn.js";

/** A turn at one of its steps; the same object at each of them. */
export type ObservedTurn = Readonly<Pick<OpenTurn, "row" | "handedAt">>;

/** Whose turn it is. */
export interface TurnPlace {
  /** The configured key of the session; undefined: the person's own. */
  readonly owner: string | undefined;
  /** Name of the session's agent. */
  readonly agentName: string;
}

/**
 * Is notified of the steps of turns, for the log, the metrics and the traces of the daemon. Each turn that was accepted under this
 * daemon or an earlier one ends once. Called in the middle of the work: must not throw, and must be quick.
 */
export interface TurnObserver {
  /** A message was stored. Not called for those that an earlier daemon accepted. */
  onAccepted(turn: ObservedTurn, place: TurnPlace): void;
  /** The agent is about to get it. Returns the trace that the agent's work belongs to, if any. */
  onHanded(turn: ObservedTurn, place: TurnPlace): TraceContext | undefined;
  /** It ended: `row.reason` says how, and `row.endedAt` when. */
  onEnded(turn: ObservedTurn, place: TurnPlace): void;
}
