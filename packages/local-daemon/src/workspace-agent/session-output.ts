import { setImmediate } from "node:timers/promises";
import {
  encodeNotification,
  FACTORY_PROTOCOL_VERSION,
  type KnownSessionNotification,
  type Transport,
  type WorkingState,
} from "@daemon-sdk/protocol";

/**
 * What the agent tells about its session: notifications, in order, no faster than the daemon reads them.
 *
 * `tell` never waits, so whoever tells without end has to await {@link ready} now and then.
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

  /** The id that every notification carries from now on. */
  set sessionId(id: string) {
    this.#sessionId = id;
  }

  /** Whether the pipe takes no more for now: time to await {@link ready}. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Writes one notification. */
  tell(notification: KnownSessionNotification): void {
    const params = { ...(this.#sessionId !== undefined && { sessionId: this.#sessionId }), notification };
    const text = encodeNotification("droid.session_notification", params, FACTORY_PROTOCOL_VERSION);
    if (!this.#transport.send(text)) this.#isFull = true;
  }

  /** Tells the working state when it is another than the one told before. */
  state(newState: WorkingState): void {
    if (newState === this.#state) return;
    this.#state = newState;
    this.tell({ type: "droid_working_state_changed", newState });
  }

  /**
   * Resolves at once while the pipe takes more. When it is full, waits until the daemon has read, and then for one turn of
   * the event loop: an interrupt must be read even by an agent that always has something to say.
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
