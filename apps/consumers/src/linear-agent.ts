/** An agent in Linear: a session there is a session of the daemon, and its events are activities. */
import {
  answerFromText,
  connectDaemon,
  type FollowedEvent,
  presentRequest,
  SessionNotFoundError,
} from "@daemon-sdk/client";
import { type Activity, type Choice, checkLinearSignature, Linear } from "./linear.js";
import { Outbox } from "./outbox.js";
import { serveWebhooks } from "./webhooks.js";

const { LINEAR_TOKEN = "", LINEAR_SECRET = "", LINEAR_URL } = process.env;
const { OUTBOX = "outbox.json", WORKSPACE = ".", PORT = "3000" } = process.env;

const linear = new Linear(LINEAR_TOKEN, LINEAR_URL);
const connection = await connectDaemon();

// #region sample
/** A prompt of a person, under the id of Linear's activity, which is its `messageId`. The session has the id of Linear's session. */
interface Work {
  readonly sessionId: string;
  readonly text: string;
}

/** Works on a prompt to its end. Started again after a crash, it does the same again: Linear shows an activity once by its id. */
async function work(messageId: string, { sessionId, text }: Work): Promise<void> {
  const create = { cwd: WORKSPACE, sessionSource: { platform: "linear", agentSessionId: sessionId } };
  await connection.send(sessionId, text, { messageId, create });
  for await (const event of connection.follow(sessionId, { turnId: messageId })) {
    const { epoch, seq, part = 0 } = event.position;
    const [activity, choices] = activityOf(event);
    if (activity !== undefined) await linear.show(sessionId, `${epoch}:${seq}:${part}`, activity, choices);
  }
  const { state, reason = state, text: answer = "" } = await connection.waitForReceipt(sessionId, messageId);
  const isDone = state === "completed" || state === "interrupted";
  const last: Activity = isDone ? { type: "response", body: answer || state } : { type: "error", body: reason };
  await linear.show(sessionId, `end of ${messageId}`, last);
}

function activityOf(event: FollowedEvent): [Activity?, Choice[]?] {
  if (event.type === "tool_call") {
    return [{ type: "action", action: event.name, parameter: JSON.stringify(event.toolUse.input) }];
  }
  if (event.type === "assistant") {
    const thoughts = event.message.content.flatMap((block) => (block.type === "thinking" ? [block.thinking] : []));
    return thoughts.length === 0 ? [] : [{ type: "thought", body: thoughts.join("\n") }];
  }
  if (event.type !== "request_opened") return [];
  const { text, choices } = presentRequest(event);
  const options = choices.map(({ label, answer }) => ({ label, value: typeof answer === "string" ? answer : label }));
  return [{ type: "elicitation", body: text }, options];
}

/** Takes a prompt as the answer to what the session waits for. False when it waits for nothing. */
async function answer(sessionId: string, text: string): Promise<boolean> {
  const [request] = await connection.listRequests({ sessionId }).catch(noneIfUnknown);
  if (request === undefined) return false;
  await connection.answerRequest(request.requestId, answerFromText(request, text));
  return true;
}
// #endregion sample

/** `created`: an issue was delegated to the agent, or it was mentioned. `prompted`: a person wrote in its session. */
async function onSessionEvent(body: string): Promise<undefined> {
  const { type, action, agentSession, promptContext, agentActivity } = JSON.parse(body) as SessionEvent;
  if (type !== "AgentSessionEvent") return;
  const sessionId = agentSession.id;
  const messageId = agentActivity?.id ?? sessionId;
  if (agentActivity?.signal === "stop") {
    await connection.interruptSession(sessionId).catch(noneIfUnknown);
    return;
  }
  const text = action === "created" ? promptContext : agentActivity?.content.body;
  if (text === undefined || outbox.has(messageId)) return;
  if (action === "prompted" && (await answer(sessionId, text))) return;
  outbox.put(messageId, { sessionId, text });
  // Linear shows an agent as unresponsive that has no activity after 10 s.
  void linear.show(sessionId, `begin of ${messageId}`, { type: "thought", body: "Reading." }).catch(console.error);
}

function noneIfUnknown(error: unknown): [] {
  if (!(error instanceof SessionNotFoundError)) throw error;
  return [];
}

interface SessionEvent {
  type: string;
  action: "created" | "prompted";
  agentSession: { id: string };
  promptContext?: string;
  agentActivity?: { id: string; signal?: string; content: { body: string } };
}

const outbox = new Outbox<Work>(OUTBOX, {
  work,
  giveUp: (messageId, { sessionId }, { message: body }) =>
    linear.show(sessionId, `end of ${messageId}`, { type: "error", body }),
});

serveWebhooks(Number(PORT), {
  "/linear": async (body, headers) => {
    checkLinearSignature(LINEAR_SECRET, body, headers);
    return onSessionEvent(body);
  },
});

// A connection that cannot be restored ends the program: whatever supervises it starts it again.
await connection.closed;
process.exit(1);
