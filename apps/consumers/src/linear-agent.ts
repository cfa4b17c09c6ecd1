/** An agent in Linear: a session there is a session of the daemon, and its events are activities. */
import {
  connectDaemon,
  type DaemonSession,
  type EventPosition,
  type FollowedEvent,
  NO_ANSWER,
  SessionNotFoundError,
} from "@daemon-sdk/client";
import { inOrder } from "./in-order.js";
import { type Activity, checkLinearSignature, Linear } from "./linear.js";
import { Outbox } from "./outbox.js";
import { isFinal, untilDone } from "./until-done.js";
import { serveWebhooks } from "./webhooks.js";

const { LINEAR_TOKEN = "", LINEAR_SECRET = "", LINEAR_URL, WORKSPACE = ".", PORT = "3000" } = process.env;

const linear = new Linear(LINEAR_TOKEN, LINEAR_URL);
const outbox = new Outbox<Work>(process.env.OUTBOX ?? "outbox.json");

// #region sample
/** A prompt of a person, under the id of Linear's activity, which is its `messageId`. The session has the id of Linear's session. */
interface Work {
  readonly sessionId: string;
  readonly text: string;
  /** The event that was shown last. */
  readonly after?: EventPosition | undefined;
}

// A request waits in the daemon for the next prompt: see `answer`. A handler that threw would cancel it.
const connection = await connectDaemon({
  permissionHandler({ sessionId, requestId, toolUses, options }, { signal }) {
    const body = toolUses.map(({ toolUse }) => `${toolUse.name} ${JSON.stringify(toolUse.input)}`).join("\n");
    void untilDone(() => linear.show(sessionId, requestId, { type: "elicitation", body }, options), signal);
    return NO_ANSWER;
  },
  askUserHandler({ sessionId, requestId, questions }, { signal }) {
    const body = questions.map(({ question }) => question).join("\n");
    const options = questions.length === 1 ? (questions[0]?.options ?? []) : [];
    const choices = options.length === 0 ? undefined : options.map((value) => ({ label: value, value }));
    void untilDone(() => linear.show(sessionId, requestId, { type: "elicitation", body }, choices), signal);
    return NO_ANSWER;
  },
});

/** Works on a prompt to its end. Started again after a crash, it continues after the last activity. */
async function work(messageId: string, job: Work): Promise<void> {
  const { sessionId } = job;
  const after = await inOrder(sessionId, () => deliver(messageId, job));
  const session = await connection.resumeSession(sessionId); // What waits for an answer goes to the handlers.
  try {
    for await (const event of session.follow({ after })) {
      if (event.type === "gap") break;
      if (event.turnId !== messageId) continue;
      const activity = activityOf(event);
      const { epoch, seq, part = 0 } = event.position;
      if (activity !== undefined) await linear.show(sessionId, `${epoch}:${seq}:${part}`, activity);
      outbox.put(messageId, { ...job, after: event.position });
      if (event.type === "result") break;
    }
    const { state, reason = state, text: answer = "" } = await session.waitForReceipt(messageId);
    const isDone = state === "completed" || state === "interrupted";
    const last: Activity = isDone ? { type: "response", body: answer || state } : { type: "error", body: reason };
    await linear.show(sessionId, `end of ${messageId}`, last);
    outbox.remove(messageId);
  } finally {
    await session.detach();
  }
}

/** Sends a prompt, once. Returns where its events begin. */
async function deliver(messageId: string, { sessionId, text, after }: Work): Promise<EventPosition | undefined> {
  const session = await open(sessionId);
  try {
    const from = after ?? session.snapshot.position;
    outbox.put(messageId, { sessionId, text, after: from });
    await session.send(text, { messageId });
    return from;
  } finally {
    await session.detach();
  }
}

function activityOf(event: FollowedEvent): Activity | undefined {
  if (event.type === "tool_call") {
    return { type: "action", action: event.name, parameter: JSON.stringify(event.toolUse.input) };
  }
  if (event.type !== "assistant") return undefined;
  const thoughts = event.message.content.flatMap((block) => (block.type === "thinking" ? [block.thinking] : []));
  return thoughts.length === 0 ? undefined : { type: "thought", body: thoughts.join("\n") };
}

/** Takes a prompt as the answer to what the session waits for. False when it waits for nothing. */
async function answer(sessionId: string, text: string): Promise<boolean> {
  const [request] = await connection.listRequests({ sessionId }).catch(noneIfUnknown);
  if (request === undefined) return false;
  const { requestId } = request;
  if (request.method === "ask_user") {
    const answers = request.params.questions.map(({ index, question }) => ({ index, question, answer: text }));
    await connection.answerRequest(requestId, { answers });
  } else {
    const chosen = request.params.options.find(({ label, value }) => [label, value].includes(text));
    await connection.answerRequest(requestId, chosen?.value ?? { selectedOption: "cancel", comment: text });
  }
  return true;
}
// #endregion sample

async function open(sessionId: string): Promise<DaemonSession> {
  try {
    return await connection.resumeSession(sessionId);
  } catch (error) {
    if (!(error instanceof SessionNotFoundError)) throw error;
    const sessionSource = { platform: "linear", agentSessionId: sessionId };
    return connection.createSession({ sessionId, cwd: WORKSPACE, sessionSource });
  }
}

/** Works until it is done. What fails meanwhile is repeated, because each step acts once. */
function start(messageId: string): Promise<void> {
  return untilDone(async () => {
    const job = new Map(outbox.jobs).get(messageId);
    if (job === undefined) return;
    await work(messageId, job).catch(async (error: unknown) => {
      if (!isFinal(error)) throw error;
      await linear.show(job.sessionId, `end of ${messageId}`, { type: "error", body: error.message });
      outbox.remove(messageId);
    });
  });
}

/** `created`: an issue was delegated to the agent, or it was mentioned. `prompted`: a person wrote in its session. */
async function onSessionEvent(body: string): Promise<undefined> {
  const { type, action, agentSession, promptContext, agentActivity } = JSON.parse(body) as SessionEvent;
  if (type !== "AgentSessionEvent") return;
  const sessionId = agentSession.id;
  const messageId = agentActivity?.id ?? sessionId;
  if (agentActivity?.signal === "stop") {
    await inOrder(sessionId, () => connection.interruptSession(sessionId)).catch(noneIfUnknown);
    return;
  }
  const text = action === "created" ? promptContext : agentActivity?.content.body;
  if (text === undefined || outbox.jobs.some(([known]) => known === messageId)) return;
  if (action === "prompted" && (await answer(sessionId, text))) return;
  outbox.put(messageId, { sessionId, text });
  // Linear shows an agent as unresponsive that has no activity after 10 s.
  void linear.show(sessionId, `begin of ${messageId}`, { type: "thought", body: "Reading." }).catch(console.error);
  void start(messageId);
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

for (const [messageId] of outbox.jobs) void start(messageId);

serveWebhooks(Number(PORT), {
  "/linear": async (body, headers) => {
    checkLinearSignature(LINEAR_SECRET, body, headers);
    return onSessionEvent(body);
  },
});

// A connection that cannot be restored ends the program: whatever supervises it starts it again.
await connection.closed;
process.exit(1);
