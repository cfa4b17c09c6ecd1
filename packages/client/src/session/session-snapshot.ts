import type { LoadSessionResult, SessionMessage, SessionSettings } from "@daemon-sdk/protocol";
import { withoutUndefined } from "../base/index.js";

/** A session as it was when it was made or loaded. */
export interface SessionSnapshot {
  readonly settings: SessionSettings;
  /** Messages of the conversation so far; empty for a new session. A long conversation may be shortened: see `getMessages()`. */
  readonly history: readonly SessionMessage[];
  readonly title?: string;
  readonly cwd?: string;
}

/** The snapshot that a result of `initialize_session` or `load_session` holds. */
export function snapshotOf({
  settings,
  session,
  cwd,
}: Pick<LoadSessionResult, "settings" | "session" | "cwd">): SessionSnapshot {
  return {
    settings,
    history: session.messages,
    ...withoutUndefined({ title: session.title, cwd }),
  };
}
