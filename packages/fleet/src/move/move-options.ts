import type { DaemonConnection } from "@daemon-sdk/client";
import type { ArrivalChanges } from "@daemon-sdk/protocol";
import type { MoveStep } from "./move-steps.js";

/** One end of a move. */
export interface MoveEnd {
  readonly machineId: string;
  readonly connection: DaemonConnection;
}

/** What {@link MoveSessionOptions.files} gets. */
export interface MoveFiles {
  readonly sessionId: string;
  readonly source: MoveEnd;
  readonly target: MoveEnd;
  /** Name of the session's agent. */
  readonly agent: string;
  /** The session's directory on the source. */
  readonly cwd: string;
  /** The agent's own id of the conversation on the source, by which it names its files. */
  readonly agentSessionId: string | undefined;
}

/** Copies what only the file systems of the machines have. What it returns replaces the directory and the agent's id on the target. */
export type MoveFilesHook = (files: MoveFiles) => Promise<ArrivalChanges | undefined> | Promise<void>;

/** Options of `Fleet.moveSession`. */
export interface MoveSessionOptions {
  /**
   * Copies the session's directory and the files of its agent. Called while the session is frozen and nothing is decided: when the function
   * rejects, the session goes on where it was. After a death it may be called again. Default: nothing is copied, as for machines that
   * share a file system; an agent that does not find its conversation begins a new one.
   */
  readonly files?: MoveFilesHook;
  /** How long the running turn may take before it is interrupted, in ms. 0 interrupts it at once. Default: until it ends. */
  readonly drainMs?: number;
  /** Called before each step, and before each piece that is copied; the move waits for it. */
  readonly onStep?: (step: MoveStep) => void | Promise<void>;
}
