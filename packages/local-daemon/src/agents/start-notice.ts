import { AGENT_LIMITS } from "../limits/index.js";

/** Where a start is: it waits for its turn, it runs, or it has ended. */
export type StartState = "waiting" | "starting" | "ready" | "failed";

/** Notifies of a start that takes long. A short one is not worth a word. */
export class StartNotice {
  readonly #notify: (state: StartState) => void;
  readonly #timer: NodeJS.Timeout;
  #state: StartState = "waiting";
  #isStated = false;

  /** The start waits. */
  constructor(notify: (state: StartState) => void) {
    this.#notify = notify;
    this.#timer = setTimeout(() => {
      this.#isStated = true;
      notify(this.#state);
    }, AGENT_LIMITS.startNoticeMs);
  }

  /** The wait is over: the process is started. */
  begun(): void {
    this.#enter("starting");
  }

  /** The start has ended. Nothing is notified afterwards. */
  ended(state: "ready" | "failed"): void {
    clearTimeout(this.#timer);
    this.#enter(state);
  }

  #enter(state: StartState): void {
    this.#state = state;
    if (this.#isStated) this.#notify(state);
  }
}
