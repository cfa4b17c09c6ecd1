import type { Logger, TokenUsage } from "@daemon-sdk/protocol";
import type { Agent } from "../agents/index.js";
import type { SessionLog } from "../journal/index.js";
import type { SessionLimits } from "../limits/index.js";
import type { Store } from "../storage/index.js";
import type { QueueRoom } from "./queue-room.js";
import type { StoredRoom } from "./stored-room.js";
import type { TurnObserver } from "./turn-observer.js";

/** Options of `TurnQueue`. */
export interface TurnQueueOptions {
  readonly log: SessionLog;
  /** The session's agent, from `AgentSlot`. */
  readonly agent: { ready(signal: AbortSignal): Promise<Agent>; stop(): Promise<void> };
  readonly services: TurnServices;
  readonly session: TurnSession;
  /** The configured key of the session; undefined: the person's own. */
  readonly owner: string | undefined;
  /** Name of the session's agent. */
  readonly agentName: string;
}

/** The session of a queue. */
export interface TurnSession {
  /** Called when a message was accepted, with its text. */
  onAccepted(text: string): void;
  /** Called before a turn ends, to end its requests first. */
  onEnding(): void;
  /** What the running turn has used; undefined when its agent reported nothing. */
  usage(): TokenUsage | undefined;
}

/** What all queues share. */
export interface TurnServices {
  readonly store: Pick<Store, "readTurn" | "readPrompt" | "readPromptParts">;
  /** What may wait, of all sessions. */
  readonly room: QueueRoom;
  /** What may be stored, of all sessions. */
  readonly storedRoom: StoredRoom;
  readonly observer: TurnObserver;
  readonly limits: Pick<SessionLimits, "agentInterruptMs">;
  readonly now: () => number;
  readonly logger: Logger;
}
