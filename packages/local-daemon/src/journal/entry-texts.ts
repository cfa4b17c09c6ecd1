import type { SessionId } from "@daemon-sdk/protocol";
import { entryOf, isRequestFrame, metaHead, notificationHead, requestEntryOf } from "./journal-frame.js";

/** An entry whose notification is still JSON. */
export interface EntryText {
  readonly epoch: number;
  /** The notification; of a request that which a page of entries contains for it. */
  readonly notification: string;
}

/**
 * Reads the entries of one session as texts, for answers that contain them.
 *
 * The notification of a frame is cut out of it where the frame has this daemon's usual head and the epoch of the entry before it. Other
 * frames, such as those of an older daemon or of an agent that traces, are parsed.
 */
export class EntryTexts {
  readonly #head: string;
  #epoch: number | undefined;

  constructor(sessionId: SessionId) {
    this.#head = notificationHead(sessionId);
  }

  /** @param seq of the entry that `frame` is */
  read(frame: string, seq: number): EntryText {
    const epoch = this.#epoch;
    if (epoch !== undefined && frame.startsWith(this.#head)) {
      const tail = `}${metaHead(epoch)}${seq}}}`;
      if (frame.endsWith(tail)) return { epoch, notification: frame.slice(this.#head.length, -tail.length) };
    }
    const entry = isRequestFrame(frame) ? requestEntryOf(frame) : entryOf(frame);
    this.#epoch = entry.epoch;
    return { epoch: entry.epoch, notification: JSON.stringify(entry.notification) };
  }
}
