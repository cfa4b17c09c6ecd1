import { setImmediate } from "node:timers/promises";
import {
  encodeNotification,
  FACTORY_PROTOCOL_VERSION,
  type KnownSessionNotification,
  type Transport,
  type WorkingState,
} from "@daemon-sdk/protocol";

/**
 * Notifications of the agent's session, in order, with back-pressure from the daemon.
 *
 * `tell` never waits. A caller with many notifications must await {@link ready} in between.
 */
export class SessionOutput {
  readonly #transport: Transport;
  #sessionId: string | undefined;
  #state: WorkingState = "idle";
  #isFull = false;
  #waiting: (() => void)[] = [];

  constructor(transport: Transport) {
    this.#transport = transport;
    transport.onWritable = () => {
      this.#isFull = false;
      for (const resume of this.#waiting.splice(0)) resume();
    };
  }

  /** The session id of all later notifications. */
  set sessionId(id: string) {
    this.#sessionId = id;
  }

  /** Whether the pipe is full: await {@link ready}. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Writes one notification. */
  tell(notification: KnownSessionNotification): void {
    const params = { ...(this.#sessionId !== undefined && { sessionId: this.#sessionId }), notification };
    const text = encodeNotification("droid.session_notification", params, FACTORY_PROTOCOL_VERSION);
    if (!this.#transport.send(text)) this.#isFull = true;
  }

  /** Sends the working state if it differs from the last one sent. */
  state(newState: WorkingState): void {
    if (newState === this.#state) return;
    this.#state = newState;
    this.tell({ type: "droid_working_state_changed", newState });
  }

  /**
   * Resolves at once while the pipe is not full. Else waits until the daemon has read, and then for one turn of the event
   * loop, so that an interrupt is read even while the agent writes without pause.
   *
   * @param signal stops waiting; check it afterwards
   */
  async ready(signal: AbortSignal): Promise<void> {
    if (!this.#isFull) return;
    await new Promise<void>((resolve) => {
      const resume = () => {
        signal.removeEventListener("abort", resume);
        resolve();
      };
      signal.addEventListener("abort", resume, { once: true });
      this.#waiting.push(resume);
    });
    await setImmediate();
  }
}
