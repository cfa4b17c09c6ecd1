import type { LoadSessionResult, Position, SessionMessage, SessionSettings } from "@daemon-sdk/protocol";
import { withoutUndefined } from "@daemon-sdk/protocol";

/** A session as it was when it was made or loaded. */
export interface SessionSnapshot {
  readonly settings: SessionSettings;
  /** Messages of the conversation so far; empty for a new session. A long conversation may be shortened: see `getMessages()`. */
  readonly history: readonly SessionMessage[];
  /** Place of the snapshot in the journal, where the daemon offers positions: `follow({ after: position })` yields what comes next. */
  readonly position?: Position;
  readonly title?: string;
  readonly cwd?: string;
}

/** The snapshot that a result of `initialize_session` or `load_session` holds. */
export function snapshotOf({
  settings,
  session,
  cwd,
  position,
}: Pick<LoadSessionResult, "settings" | "session" | "cwd" | "position">): SessionSnapshot {
  return {
    settings,
    history: session.messages,
    ...withoutUndefined({ title: session.title, cwd, position }),
  };
}
