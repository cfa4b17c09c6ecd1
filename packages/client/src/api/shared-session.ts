import type { DaemonClient, SessionSnapshot } from "../session/index.js";
import type { RunningStream } from "../stream/index.js";

/** A session that a connection is attached to once, whatever the number of its handles. */
export interface SharedSession {
  readonly client: DaemonClient;
  readonly stream: RunningStream;
  /** The session as it was when it was attached; rejects when it could not be attached. */
  readonly snapshot: Promise<SessionSnapshot>;
  /** How many handles there are. */
  handles: number;
}
