import {
  DaemonError,
  type MessageId,
  ProtocolError,
  RpcCode,
  SessionError,
  type SessionId,
} from "@daemon-sdk/protocol";

/** The id is taken by a message of other content. */
export function otherBody(id: MessageId): ProtocolError {
  return new ProtocolError(
    "INVALID_PARAMS",
    `Message ${id} was sent before with other content. Use a new messageId for a new message.`,
    { rpcCode: RpcCode.invalidParams },
  );
}

/** As many messages wait as a session takes. */
export function queueFull(sessionId: SessionId, queuedTurns: number): SessionError {
  return new SessionError(
    "QUEUE_FULL",
    `${queuedTurns} messages wait in this session already. Send again when a turn has ended, or interrupt.`,
    { sessionId },
  );
}

/** The messages that wait have as many bytes as may wait. */
export function queueBytesFull(
  sessionId: SessionId,
  full: { where: string; bound: string; bytes: number; added: number; most: number },
): SessionError {
  const { where, bound, bytes, added, most } = full;
  return new SessionError(
    "QUEUE_FULL",
    `Messages of ${bytes} bytes wait ${where}, this one has ${added}, and ${most} may wait (${bound}). Send again when a turn has ended, or interrupt.`,
    { sessionId },
  );
}

/** The sessions of a principal have stored as much as they may; `message` has the name of the bound and the numbers. */
export function quotaExceeded(message: string, sessionId: SessionId): SessionError {
  return new SessionError("QUOTA_EXCEEDED", message, { sessionId });
}

/** As many calls about directories wait as one credential may have. */
export function tooManyDirectoryCalls(): DaemonError {
  return new DaemonError(
    "QUEUE_FULL",
    "Calls about the directories of sessions run one at a time, and too many of yours wait. Ask again when they are answered.",
  );
}

/** The session was closed; it takes messages again once it was loaded. */
export function sessionClosed(sessionId: SessionId): SessionError {
  return new SessionError("SESSION_CLOSED", `Session ${sessionId} was closed. Load it again to go on.`, { sessionId });
}

/** The session cannot move to another directory while its agent works. */
export function sessionAtWork(sessionId: SessionId): SessionError {
  return new SessionError(
    "SESSION_STATE",
    `A turn of session ${sessionId} runs or waits. Interrupt it, or load the session with another cwd after its end.`,
    { sessionId },
  );
}

/** A session at work is deleted by force only. */
export function sessionNotIdle(sessionId: SessionId): SessionError {
  return new SessionError(
    "SESSION_STATE",
    `A turn of session ${sessionId} runs or waits. Delete the session after its end, or with force, which ends the turn.`,
    { sessionId },
  );
}

/** The session is frozen: another machine is to have it. */
export function sessionMoving(sessionId: SessionId, to: string): SessionError {
  return new SessionError(
    "SESSION_MOVING",
    `Session ${sessionId} moves to machine ${to}, and does not change until it is there. Repeat the call in a moment.`,
    { sessionId },
  );
}

/** The daemon stops, and takes nothing new. */
export function daemonStopping(): DaemonError {
  return new DaemonError(
    "DAEMON_STOPPING",
    "The daemon is stopping and takes nothing new. Connect again: the next one takes it.",
  );
}

/** The daemon is part of another program, or a service manager started it in the foreground: it is restarted there. */
export function restartedElsewhere(): DaemonError {
  return new DaemonError(
    "DAEMON_ALREADY_RUNNING",
    "it is run by a program of its own or by a service manager, which restarts it",
  );
}

/** As many agents start or run as may; `reason` names the bound. */
export function agentsBusy(sessionId: SessionId, reason: string): SessionError {
  return new SessionError("AGENTS_BUSY", `The agent of this session waits to be started. ${reason}`, { sessionId });
}

/** The policy of a key does not allow it; `message` names the rule. */
export function notAllowed(message: string): ProtocolError {
  return new ProtocolError("NOT_ALLOWED", message, { rpcCode: RpcCode.invalidParams });
}

/** Params that are well formed, and not usable. */
export function badParams(message: string): ProtocolError {
  return new ProtocolError("INVALID_PARAMS", message, { rpcCode: RpcCode.invalidParams });
}
