import { type DaemonSession, type Handlers, NO_ANSWER, type SessionSnapshot } from "@daemon-sdk/client";
import { DaemonError } from "@daemon-sdk/protocol";
import type { HttpDaemon } from "./http-daemon.js";

/** Keeps the requests of a session pending: whoever calls `POST /requests/{id}/answer` answers them. */
export const NO_ANSWERS: Handlers = { permissionHandler: () => NO_ANSWER, askUserHandler: () => NO_ANSWER };

/** Opens a session, where it is not open, and returns it as it is now. No handle is left, and no agent is started. */
export async function loadSession(daemon: HttpDaemon, sessionId: string): Promise<SessionSnapshot> {
  return released(await daemon.resumeSession(sessionId, NO_ANSWERS));
}

/** The snapshot of a session whose handle is given back. */
export async function released(session: DaemonSession): Promise<SessionSnapshot> {
  await session.detach();
  return session.snapshot;
}

/** Makes a call for a session; opens the session and makes the call again where it was closed. */
export async function withOpenSession<Result>(
  daemon: HttpDaemon,
  sessionId: string,
  call: () => Promise<Result>,
): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    if (!DaemonError.is(error, "SESSION_CLOSED")) throw error;
    await loadSession(daemon, sessionId);
    return call();
  }
}
