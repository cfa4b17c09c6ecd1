import type { DaemonError } from "@daemon-sdk/protocol";
import type { Principal } from "../access/index.js";

/** Where frames for one connection go. */
export interface FrameSink {
  /** True while the peer has to read before more events should be sent. */
  readonly isFull: boolean;
  /** Sends one frame. False when the peer has to catch up first (the frame was taken), or when the connection has ended. */
  send(frame: string): boolean;
  /** Calls once when the peer has caught up; never when the connection ends first. */
  onceWritable(callback: () => void): void;
}

/** A connection as journals see it: it follows sessions, is asked, and answers. */
export interface JournalReader {
  /** The connection's id, for logs. */
  readonly id: string;
  /**
   * True for a client that shows no use of our extensions. It may answer every request at once with cancel because nobody
   * handles it, so each request goes to one of them at most (docs/protocol.md, "Inbox").
   */
  readonly isPlain: boolean;
  /** For whom it speaks. */
  readonly principal: Principal;
  readonly sink: FrameSink;
  /** Closes the connection because of an error. */
  fail(error: DaemonError, code: number): void;
}
