import type { McpServerConfig, SessionId, SessionSettings, SessionTag, TokenUsage } from "@daemon-sdk/protocol";

/** Row of a session, open or not. Times in ms since the epoch. */
export interface SessionRow {
  readonly id: SessionId;
  /** Id of the configured key that owns the session; undefined for the person. Never changes. */
  readonly owner: string | undefined;
  /** The agent's own id of the conversation; undefined until an agent has opened it. */
  readonly agentSessionId: string | undefined;
  /** Name of the configured agent. */
  readonly agent: string;
  readonly cwd: string;
  readonly title: string | undefined;
  readonly settings: SessionSettings;
  /** Names of those settings that a client asked for; an agent is asked for no others. Absent in rows of older daemons. */
  readonly askedSettings?: readonly string[] | undefined;
  /** Params of `initialize_session` that only the agent knows. */
  readonly agentParams?: Readonly<Record<string, unknown>> | undefined;
  /** Names of variables that the session was made with. The values are never stored. */
  readonly envNames?: readonly string[] | undefined;
  /** MCP servers that the agent starts with, their secrets included. */
  readonly mcpServers?: readonly McpServerConfig[] | undefined;
  readonly tags: readonly SessionTag[];
  readonly tokenUsage: TokenUsage | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly archivedAt: number | undefined;
  /** Set when a part of it was lost with the pages of a damaged store; the next client that attaches is notified. */
  readonly damagedAt?: number | undefined;
  /** Set while the session is closed. A load reopens it. Absent in rows of older daemons. */
  readonly closedAt?: number | undefined;
  /** Set while the session is frozen, because it moves to another machine. */
  readonly leaving?: SessionLeave | undefined;
  /** The move that brought the session to this machine; absent for one that was made here. */
  readonly arrivedBy?: string | undefined;
}

/** A move that takes a session away from this machine. */
export interface SessionLeave {
  readonly moveId: string;
  /** The machine that it goes to. */
  readonly to: string;
  /** Epoch of the positions that clients get while the session is frozen. The other machine continues under a larger one. */
  readonly epoch: number;
}

/** How much of a session that comes from another machine is stored. */
export interface SessionArrival {
  readonly moveId: string;
  /** Where the next piece begins; undefined once everything is stored. */
  readonly cursor?: string | undefined;
  /** Wall clock of the last piece. */
  readonly at: number;
}

/** A session that no read finds, because another machine has it. */
export type MovingSession =
  /** It is being copied to this machine. */
  | { readonly state: "arriving"; readonly row: SessionRow; readonly arrival: SessionArrival }
  /** It was moved away. */
  | { readonly state: "moved"; readonly mark: MovedMark };

/** What a machine keeps of a session that it gave to another machine. */
export interface MovedMark {
  readonly sessionId: SessionId;
  /** As of `SessionRow.owner`. */
  readonly owner: string | undefined;
  readonly moveId: string;
  /** The machine that has it. */
  readonly to: string;
  readonly movedAt: number;
}

/** One change of a move. */
export type MoveChange =
  /** Makes, or changes, a session that comes from another machine. Only `Store.readMoving` finds it until it is written as `session`. */
  | { readonly kind: "arriving"; readonly row: SessionRow; readonly arrival: SessionArrival }
  /** Replaces a session by the mark that it was moved away. Its rows are dropped as those of a draft are; the mark stays until `forgetMoved`. */
  | { readonly kind: "moved"; readonly mark: MovedMark }
  /** Drops the marks of sessions that were moved away before that time (ms). */
  | { readonly kind: "forgetMoved"; readonly before: number }
  /** The next start's epoch is larger than this one, too. */
  | { readonly kind: "raiseEpoch"; readonly epoch: number };
