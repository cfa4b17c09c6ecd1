import type { Workspace } from "../workspace/index.js";
import type { Conversation } from "./conversation.js";
import type { FileHistory } from "./file-history.js";
import type { Person } from "./person.js";
import type { SessionOutput } from "./session-output.js";

/** The parts of a session that a turn and its tools use: conversation, files, user and output. */
export interface TurnSession {
  readonly conversation: Conversation;
  readonly history: FileHistory;
  readonly workspace: Workspace;
  readonly output: SessionOutput;
  readonly person: Person;
  /** Writes the conversation to disk. Never rejects: a failure becomes an `error` notification. */
  save(): Promise<void>;
}
