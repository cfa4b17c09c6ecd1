import type { Session } from "./session.js";
import type { SessionServices } from "./session-services.js";

/** Options of {@link UnusedSessions}. */
export interface UnusedSessionsOptions extends Pick<SessionServices, "live" | "now" | "limits"> {
  open(): readonly Session[];
  /** Work that the daemon's end waits for. */
  track(work: Promise<unknown>): void;
  /** Closes the session without a change for its clients: the next use opens it again. */
  release(session: Session): void;
}

/** Releases open sessions that nobody has used for the time that they were made with, and stops their agents. */
export class UnusedSessions {
  readonly #options: UnusedSessionsOptions;

  constructor(options: UnusedSessionsOptions) {
    this.#options = options;
  }

  /** Called every `sweepMs`. */
  sweep(): void {
    const { live, now, open, track } = this.#options;
    live.recheck();
    for (const session of open()) {
      session.log.retry();
      if (!session.isUnused || session.keepsAgent || !this.#isOverdue(session)) continue;
      if (session.agent.isOccupied) {
        const message = "The session's agent was stopped because nobody used it. The next message starts it again.";
        const timeoutSeconds = this.#timeoutMsOf(session) / 1000;
        session.notify({ type: "session_inactivity", message, timestamp: now(), timeoutSeconds });
      }
      track(this.#release(session));
    }
  }

  async #release(session: Session): Promise<void> {
    await session.log.settled();
    // A client may have attached meanwhile.
    if (session.isUnused && this.#isOverdue(session)) this.#options.release(session);
  }

  #isOverdue(session: Session): boolean {
    return this.#options.now() - session.lastUsedAt >= this.#timeoutMsOf(session);
  }

  #timeoutMsOf({ inactivityTimeoutMs }: Session): number {
    return inactivityTimeoutMs ?? this.#options.limits.agentInactivityMs;
  }
}
