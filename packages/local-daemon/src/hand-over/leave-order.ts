/** How a daemon is to leave. */
export interface LeaveOrder {
  /** Whether no other daemon comes after it. */
  readonly isStop: boolean;
  /** How long running turns may take, in ms; then they are ended. Undefined for a hand-over: they run on. */
  readonly waitMs: number | undefined;
  /** Version of the daemon that comes. */
  readonly to: string | undefined;
  /** Resolves when the one who asked is gone. */
  readonly gone: Promise<void>;
}

/** A daemon has left: its state directory is free. */
export interface Left {
  readonly instanceId: string;
  /** The TCP port to listen on again, where the configuration does not say so. */
  readonly port?: number | undefined;
}

/** What became of a hand-over, for the process that handed over. */
export interface HandOver {
  /**
   * `adopted`: another daemon serves, and this process only holds agents for it. `failed`: none came; start a daemon again, which
   * gets everything back.
   */
  readonly outcome: Promise<"adopted" | "failed">;
  /** Resolves when this process holds no agent any more. */
  readonly ended: Promise<void>;
  /** Ends the agents that this process holds. */
  close(): Promise<void>;
}

/** Why a turn was ended that was not over in time. */
export function whyEnded({ isStop, waitMs = 0, to }: LeaveOrder): string {
  const cause = isStop
    ? "The daemon was stopped"
    : `The daemon was replaced${to === undefined ? "" : ` by version ${to}`}`;
  return `${cause}, and this turn had not ended within the ${waitMs / 1000} s that were given.`;
}
