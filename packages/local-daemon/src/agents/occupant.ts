/** A configured agent, and how many processes of it may start or run. */
export interface AgentBound {
  /** Name of the agent. */
  readonly agent: string;
  /** `maxLive` of its configuration; undefined where there is none. */
  readonly most: number | undefined;
}

/** Whoever holds an agent, or is about to: a session's slot, or a worker of the relay. */
export interface Occupant {
  /** Id of the configured key whose agent it is; undefined for the person's. */
  readonly owner: string | undefined;
  /** Which agent it starts. The same while it waits, starts and runs. Absent: of no configured one. */
  readonly bound?: AgentBound | undefined;
  /** Since when the agent has nothing to do, in ms; undefined while it may not be stopped to make room. */
  readonly idleSince: number | undefined;
  /** Stops the idle agent to make room for another. Resolves when nothing of it is left. */
  release(): Promise<void>;
  /** Ends the agent, or its start, or the wait for it. Resolves when nothing of either is left. */
  stop(): Promise<void>;
}
