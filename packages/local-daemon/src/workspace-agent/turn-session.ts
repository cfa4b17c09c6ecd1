import type { Conversation } from "./conversation.js";
import type { FileHistory } from "./file-history.js";
import type { Person } from "./person.js";
import type { SessionOutput } from "./session-output.js";
import type { Workspace } from "./workspace.js";

/** What a turn and its tools work with: the session's conversation, files, person and output. */
export interface TurnSession {
  readonly conversation: Conversation;
  readonly history: FileHistory;
  readonly workspace: Workspace;
  readonly output: SessionOutput;
  readonly person: Person;
  /** Writes the conversation to disk. Never rejects: a disk that refuses becomes an `error` notification. */
  save(): Promise<void>;
}
