import type { EnvelopeMeta, Position, SessionId } from "@daemon-sdk/protocol";
import { foreignMeta, isFrame, metaHead, notificationHead } from "./journal-frame.js";

/**
 * The entries of one session as frames of the wire, and back.
 *
 * What is stored of nearly every entry is the JSON of its notification: the rest of its frame, two thirds of a text delta, is the same
 * for all entries of a session but for the position, which follows from the place in the journal. A notification whose frame has more
 * than that, such as the trace of an agent, is stored as a whole frame. So are requests, and all entries of daemons before schema 12.
 */
export class EntryFrames {
  readonly #head: string;

  constructor(sessionId: SessionId) {
    this.#head = notificationHead(sessionId);
  }

  /**
   * What is stored of a notification.
   *
   * @param json without newlines
   * @param meta what the agent's frame carried
   */
  entryOf(json: string, position: Position, meta: EnvelopeMeta | undefined): string {
    const foreign = foreignMeta(meta);
    // A notification may begin as a frame does; a text that does is read as a frame.
    return foreign === "" && !isFrame(json) ? json : this.#frame(json, position, foreign);
  }

  /** The frame that clients are sent. */
  frameOf(entry: string, position: Position): string {
    return isFrame(entry) ? entry : this.#frame(entry, position, "");
  }

  /** What is stored of a frame that a daemon sent: the reverse of {@link frameOf}. */
  ofFrame(frame: string, { epoch, seq }: Position): string {
    const tail = `}${metaHead(epoch)}${seq}}}`;
    if (!frame.startsWith(this.#head) || !frame.endsWith(tail)) return frame;
    const json = frame.slice(this.#head.length, -tail.length);
    return isFrame(json) ? frame : json;
  }

  #frame(json: string, { epoch, seq }: Position, foreign: string): string {
    return `${this.#head}${json}}${metaHead(epoch)}${seq}${foreign}}}`;
  }
}
