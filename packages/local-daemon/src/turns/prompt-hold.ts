import type { DaemonError, SessionId } from "@daemon-sdk/protocol";
import { daemonStopping, sessionClosed, sessionMoving } from "../refusals.js";

/** Why a session's prompts are not sent now, and why its messages are refused. */
export class PromptHold {
  /** Whether no prompt is sent. */
  isHeld = false;
  /** The session is closed. */
  isShut: boolean;
  /** The daemon stops. */
  isDraining = false;
  /** The session is to move to another machine … */
  isPaused = false;
  /** … and does not change any more. */
  #frozen: DaemonError | undefined;
  readonly #sessionId: SessionId;

  constructor(sessionId: SessionId, isShut: boolean) {
    this.#sessionId = sessionId;
    this.isShut = isShut;
  }

  /** Lets prompts be sent, unless the daemon stops or the session moves. */
  release(): void {
    this.isHeld = this.isDraining || this.isPaused;
  }

  /** The session does not change any more: it moves to the machine `to`. */
  freeze(to: string): void {
    this.#frozen = sessionMoving(this.#sessionId, to);
  }

  /** The session does not move. */
  unpause(): void {
    this.isPaused = false;
    this.#frozen = undefined;
    this.release();
  }

  /** Throws why messages are refused. */
  expectOpen(): void {
    if (this.isShut) throw sessionClosed(this.#sessionId);
    this.expectUnfrozen();
    if (this.isDraining) throw daemonStopping();
  }

  /** Throws why nothing of the queue may change. */
  expectUnfrozen(): void {
    if (this.#frozen !== undefined) throw this.#frozen;
  }
}
