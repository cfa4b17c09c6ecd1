import { type AddUserMessageParams, RpcCode } from "@daemon-sdk/protocol";
import { type FakeCall, type FakeMethod, followedSession, optionalString, requiredString, sessionOf } from "./calls.js";
import { rpcFault } from "./frames.js";
import type { FakeSession } from "./session.js";

/** Methods by which sessions begin, run and end (session spec §5.2–§5.4), by name without prefix. */
export const SESSION_METHODS: ReadonlyMap<string, FakeMethod> = new Map<string, FakeMethod>([
  ["initialize_session", initializeSession],
  ["load_session", loadSession],
  ["add_user_message", addUserMessage],
  ["interrupt_session", interruptSession],
  ["close_session", closeSession],
  ["detach_session", detachSession],
]);

function initializeSession(call: FakeCall): unknown {
  requiredString(call.params, "token");
  requiredString(call.params, "machineId");
  const cwd = requiredString(call.params, "cwd");
  const id = optionalString(call.params, "sessionId");
  const known = id === undefined ? undefined : call.daemon.sessions.get(id);
  const session = known ?? call.daemon.addSession(id === undefined ? { cwd } : { id, cwd });
  session.isOpen = true;
  applySettings(session, call.params);
  session.followers.add(call.link);
  return {
    sessionId: session.id,
    // A real daemon brings no history back here; that takes load_session.
    session: { messages: [] },
    settings: session.settings,
    cwd: session.cwd,
    ...positionOf(call, session),
  };
}

/** The result has no `sessionId`, as a real daemon's has none (session spec §5.3). */
function loadSession(call: FakeCall): unknown {
  requiredString(call.params, "token");
  const session = sessionOf(call);
  session.isOpen = true;
  session.followers.add(call.link);
  return {
    session: { messages: session.messages, ...(session.title === undefined ? {} : { title: session.title }) },
    settings: session.settings,
    cwd: session.cwd,
    pendingPermissions: session.inbox.permissions,
    pendingAskUserRequests: session.inbox.questions,
    isAgentLoopInProgress: session.isBusy,
    workingState: session.workingState,
    queuedMessages: session.queuedMessages,
    ...positionOf(call, session),
  };
}

function addUserMessage(call: FakeCall): unknown {
  const session = followedSession(call);
  const text = requiredString(call.params, "text");
  const messageId = optionalString(call.params, "messageId");
  const params = { ...call.params, sessionId: session.id, text } satisfies AddUserMessageParams;
  const isTaken = session.submit(call.id, call.link, messageId === undefined ? params : { ...params, messageId });
  if (!isTaken) throw rpcFault(RpcCode.invalidParams, "messageId was used for another message", { messageId });
  call.afterReply(() => session.startNext());
  return {};
}

function interruptSession(call: FakeCall): unknown {
  const session = call.daemon.capabilities.directInterrupt ? sessionOf(call) : followedSession(call);
  call.afterReply(() => session.interrupt());
  return {};
}

function closeSession(call: FakeCall): unknown {
  const session = sessionOf(call);
  call.afterReply(() => session.close(call.link));
  return {};
}

function detachSession(call: FakeCall): unknown {
  if (!call.daemon.capabilities.detach) throw rpcFault(RpcCode.methodNotFound, "Method not found");
  sessionOf(call).followers.delete(call.link);
  return {};
}

const SETTINGS = [
  "modelId",
  "reasoningEffort",
  "interactionMode",
  "autonomyLevel",
  "specModeModelId",
  "specModeReasoningEffort",
  "enabledToolIds",
  "disabledToolIds",
  "tags",
] as const;

/** Takes over the flat settings of a call (session spec §5.5). Returns those that were given. */
export function applySettings(session: FakeSession, params: Record<string, unknown>): Record<string, unknown> {
  const given = Object.fromEntries(
    SETTINGS.flatMap((name) => (params[name] === undefined ? [] : [[name, params[name]]])),
  );
  session.settings = { ...session.settings, ...given };
  return given;
}

function positionOf(call: FakeCall, session: FakeSession): object {
  return call.daemon.capabilities.positions ? { position: session.position } : {};
}
