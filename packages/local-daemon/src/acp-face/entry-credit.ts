import { type Credit, LIMITS, type SessionNotification, utf8Bytes } from "@daemon-sdk/protocol";

/** A whole window of credit: few events, because each is a message of its own, and an editor shows them to a person. */
export const CREDIT: Credit = { events: 256, bytes: LIMITS.creditBytes };

/** These types cost no credit (docs/protocol.md, "Credit"). */
const FREE: ReadonlySet<string> = new Set([
  "permission_resolved",
  "ask_user_resolved",
  "agent_turn_completed",
  "session_closed",
  "session_notice",
]);

/**
 * What one session may send before the editor has read what came: a window of credit, granted back in quarters, and not at all
 * while the editor does not read. So an editor that stops reading costs one window here and nothing in the daemon.
 */
export class EntryCredit {
  readonly #grant: (credit: Credit) => void;
  #events = 0;
  #bytes = 0;
  /** A grant that the daemon handles before a call that attaches is replaced by the credit of that call. */
  #isAttaching = false;

  constructor(grant: (credit: Credit) => void) {
    this.#grant = grant;
  }

  /** A call that attaches with {@link CREDIT} is about to be sent. */
  attaching(): Credit {
    this.#isAttaching = true;
    return CREDIT;
  }

  /** That call was answered: the window is whole. */
  attached(): void {
    this.#isAttaching = false;
    this.#events = 0;
    this.#bytes = 0;
  }

  /** An entry was passed on. */
  used({ type, code }: SessionNotification, frame: string): void {
    if (FREE.has(type) && !(type === "session_notice" && code === "AGENT_NOTICE")) return;
    this.#events++;
    this.#bytes += utf8Bytes(frame);
  }

  /** Grants what was used, once it is a quarter of the window. */
  grantUsed(): void {
    if (this.#isAttaching || (this.#events * 4 < CREDIT.events && this.#bytes * 4 < CREDIT.bytes)) return;
    this.#grant({ events: this.#events, bytes: this.#bytes });
    this.#events = 0;
    this.#bytes = 0;
  }
}
