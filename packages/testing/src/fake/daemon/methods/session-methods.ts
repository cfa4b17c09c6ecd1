import { type AddUserMessageParams, LIMITS, newId, RpcCode, SETTING_NAMES } from "@daemon-sdk/protocol";
import {
  isWholeNumbers,
  optionalCredit,
  optionalString,
  requiredString,
  rpcFault,
  utf8BytesOf,
} from "../../wire/index.js";
import { attachedSession, type FakeCall, type FakeMethod, isReached, sessionOf } from "../calls.js";
import type { FakeSession } from "../session.js";

/** Methods by which sessions begin, run and end (docs/protocol.md §6, §7, §9, §10), by name without prefix. */
export const SESSION_METHODS: ReadonlyMap<string, FakeMethod> = new Map<string, FakeMethod>([
  ["initialize_session", initializeSession],
  ["load_session", loadSession],
  ["resume_session", resumeSession],
  ["follow_session", followSession],
  ["add_user_message", addUserMessage],
  ["interrupt_session", interruptSession],
  ["close_session", closeSession],
  ["delete_session", deleteSession],
  ["detach_session", detachSession],
]);

function initializeSession(call: FakeCall): unknown {
  requiredString(call.params, "token");
  requiredString(call.params, "machineId");
  const cwd = requiredString(call.params, "cwd");
  requireKnownAgent(call);
  const id = optionalString(call.params, "sessionId");
  const known = id === undefined ? undefined : call.daemon.sessions.get(id);
  const { principal } = call.link;
  const owned = { cwd, ...(call.daemon.keys.has(principal) ? { key: principal } : {}) };
  if (known && !isReached(call, known)) throw rpcFault(RpcCode.invalidParams, "Invalid params: sessionId is in use");
  const session = known ?? call.daemon.addSession(id === undefined ? owned : { id, ...owned });
  session.isOpen = true;
  applySettings(session, call.params);
  attachTo(call, session);
  return {
    sessionId: session.id,
    // A real daemon returns no history here, only in load_session.
    session: { messages: [] },
    settings: session.settings,
    cwd: session.cwd,
    ...positionOf(call, session),
  };
}

/** The result has no `sessionId`, as a real daemon's has none (docs/wire/session.md#load-of-a-session). */
function loadSession(call: FakeCall): unknown {
  requiredString(call.params, "token");
  const session = sessionOf(call);
  moveTo(session, call.daemon.capabilities.workspace ? optionalString(call.params, "cwd") : undefined);
  session.isOpen = true;
  attachTo(call, session);
  return {
    session: { messages: session.messages, ...(session.title === undefined ? {} : { title: session.title }) },
    settings: session.settings,
    cwd: session.cwd,
    ...stateOf(session),
    queuedMessages: listed(session.queuedMessages),
    ...positionOf(call, session),
  };
}

function moveTo(session: FakeSession, cwd: string | undefined): void {
  if (cwd === undefined || cwd === session.cwd) return;
  if (session.isBusy) throw rpcFault(RpcCode.internalError, "A turn runs", { code: "SESSION_STATE" });
  session.cwd = cwd;
  session.notify({ type: "session_working_directory_changed", cwd });
}

/** Prompts that a snapshot lists whole, in bytes; of others the ids and the size (docs/protocol.md §6). */
const LISTED_PROMPT_BYTES = 1024 * 1024;

function listed(queued: FakeSession["queuedMessages"]): object[] {
  let room = LISTED_PROMPT_BYTES;
  return queued.map(({ requestId, ...prompt }) => {
    const bytes = utf8BytesOf(prompt);
    room -= bytes;
    const { sessionId, messageId } = prompt;
    return room >= 0
      ? { ...prompt, requestId }
      : { sessionId, messageId, requestId, text: `[A message of ${bytes} bytes waits.]` };
  });
}

function resumeSession(call: FakeCall): unknown {
  const session = sessionOf(call);
  const { after } = call.params;
  if (!isWholeNumbers(after, "epoch", "seq")) {
    throw rpcFault(RpcCode.invalidParams, "Invalid params: after must be { epoch, seq }");
  }
  if (!session.journal.reachesBackTo(after)) {
    const message = "The journal does not reach back to that position";
    throw rpcFault(RpcCode.internalError, message, { code: "RESUME_TOO_OLD", sessionId: session.id });
  }
  call.link.usesExtensions = true;
  session.isOpen = true;
  const attached = session.attach(call.link, after.seq, creditOf(call));
  call.afterReply(() => attached.pump());
  return { position: session.journal.position, ...stateOf(session) };
}

function followSession(call: FakeCall): unknown {
  const session = sessionOf(call);
  const credit = optionalCredit(call.params.credit);
  if (!credit) throw rpcFault(RpcCode.invalidParams, "Invalid params: credit must be { events, bytes }");
  call.link.usesExtensions = true;
  session.isOpen = true;
  const { position } = session.journal;
  const attached = session.attachAtEnd(call.link, credit);
  call.afterReply(() => attached.pump());
  return { position, isAgentLoopInProgress: session.isBusy, workingState: session.workingState };
}

function addUserMessage(call: FakeCall): unknown {
  const session = call.daemon.capabilities.sessionEvents ? sessionOf(call) : attachedSession(call);
  const text = requiredString(call.params, "text");
  const messageId = optionalString(call.params, "messageId") ?? newId();
  const params = { ...call.params, sessionId: session.id, text, messageId } satisfies AddUserMessageParams;
  if (session.queuedMessages.length >= LIMITS.queuedTurns && !session.hasMessage(messageId)) {
    throw rpcFault(RpcCode.internalError, "The queue of prompts is full", { code: "QUEUE_FULL", retryable: true });
  }
  if (!session.hasMessage(messageId)) checkQueueBytes(call, utf8BytesOf(params));
  const isKnown = session.hasMessage(messageId);
  if (!session.isOpen && !isKnown) {
    const data = { code: "SESSION_CLOSED", sessionId: session.id };
    throw rpcFault(RpcCode.internalError, `Session ${session.id} was closed. Load it again to go on.`, data);
  }
  const isTaken = session.submit(call.id, call.link, params);
  if (!isTaken) throw rpcFault(RpcCode.invalidParams, "messageId was used for another message", { messageId });
  call.afterReply(() => session.startNext());
  if (!isKnown || !call.daemon.capabilities.turnEvents) return {};
  const { text: _answer, ...receipt } = session.receipts.of(messageId);
  return { receipt };
}

/** Refuses a prompt with which too many bytes would wait in the sessions of its key. */
function checkQueueBytes({ daemon, link }: FakeCall, added: number): void {
  if (!daemon.keys.has(link.principal)) return;
  const own = [...daemon.sessions.values()].filter(({ key }) => key === link.principal);
  const bytes = own.flatMap((session) => session.queuedMessages).reduce((sum, one) => sum + utf8BytesOf(one), 0);
  const most = daemon.queuedBytes;
  if (bytes + added <= most) return;
  const message = `Messages of ${bytes} bytes wait, this one has ${added}, and ${most} may wait (queuedBytes)`;
  throw rpcFault(RpcCode.internalError, message, { code: "QUEUE_FULL", retryable: true });
}

function interruptSession(call: FakeCall): unknown {
  const session = call.daemon.capabilities.directInterrupt ? sessionOf(call) : attachedSession(call);
  const messageId = call.daemon.capabilities.turnInterrupt ? optionalString(call.params, "messageId") : undefined;
  call.afterReply(() => session.interrupt(messageId));
  return {};
}

function closeSession(call: FakeCall): unknown {
  const session = sessionOf(call);
  call.afterReply(() => session.close(call.link));
  return {};
}

function deleteSession(call: FakeCall): unknown {
  const session = sessionOf(call);
  const isAtWork = session.isBusy || session.queuedMessages.length > 0;
  if (isAtWork && call.params.force !== true) {
    const message = "A turn of the session runs or waits";
    throw rpcFault(RpcCode.internalError, message, { code: "SESSION_STATE", sessionId: session.id });
  }
  session.close(call.link, "deleted");
  call.daemon.removeSession(session.id);
  return {};
}

function detachSession(call: FakeCall): unknown {
  const session = sessionOf(call);
  call.link.usesExtensions = true;
  session.detach(call.link);
  return {};
}

function requireKnownAgent(call: FakeCall): void {
  const { agents } = call.daemon.capabilities;
  const agent = agents && optionalString(call.params, "agent");
  if (agent === undefined) return;
  if (!agents?.includes(agent)) {
    throw rpcFault(RpcCode.invalidParams, `Invalid params: no agent of that name; there are ${agents?.join(", ")}`);
  }
  call.link.usesExtensions = true;
}

/** Attaches the caller. It receives all entries after the snapshot in the response. */
function attachTo(call: FakeCall, session: FakeSession): void {
  if (call.params.inbox === true) call.link.usesExtensions = true;
  session.attach(call.link, session.journal.position.seq, creditOf(call));
}

function creditOf(call: FakeCall) {
  return call.daemon.capabilities.credit ? optionalCredit(call.params.credit) : undefined;
}

function stateOf(session: FakeSession): object {
  return {
    pendingPermissions: session.inbox.permissions,
    pendingAskUserRequests: session.inbox.questions,
    isAgentLoopInProgress: session.isBusy,
    workingState: session.workingState,
  };
}

/** Applies the flat settings of a call (docs/wire/session.md#session-calls). Returns the given ones. */
export function applySettings(session: FakeSession, params: Record<string, unknown>): Record<string, unknown> {
  const given = Object.fromEntries(
    SETTING_NAMES.flatMap((name) => (params[name] === undefined ? [] : [[name, params[name]]])),
  );
  session.settings = { ...session.settings, ...given };
  return given;
}

function positionOf(call: FakeCall, session: FakeSession): object {
  return call.daemon.capabilities.positions ? { position: session.journal.position } : {};
}
