import type { DaemonError } from "@daemon-sdk/protocol";
import type { Principal } from "../access/index.js";

/** A connection as sessions see it: somebody who follows, asks and answers. */
export interface SessionClient {
  /** The connection's id, for logs. */
  readonly id: string;
  /**
   * True for a client that shows no use of our extensions. It may answer every request at once with cancel because nobody
   * listens, so each request goes to one of them at most (docs/protocol.md, "Inbox").
   */
  readonly isPlain: boolean;
  /** For whom it speaks. */
  readonly principal: Principal;
  /** True while it has to read before more events should be sent. */
  readonly isFull: boolean;
  send(frame: string): boolean;
  /** Calls once when it has caught up. */
  onceWritable(callback: () => void): void;
  /** Closes the connection because of an error. */
  fail(error: DaemonError, code: number): void;
}
