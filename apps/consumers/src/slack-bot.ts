/** A Slack bot: a thread is a session. Everything that has to survive is in the daemon, in Slack, or in the outbox. */
import {
  type AskUserReply,
  connectDaemon,
  DaemonError,
  type DaemonSession,
  type EventPosition,
  NO_ANSWER,
  type PermissionAnswer,
  type Receipt,
  type SessionFollow,
  SessionNotFoundError,
} from "@daemon-sdk/client";
import { inOrder } from "./in-order.js";
import { Outbox } from "./outbox.js";
import { Slack, type SlackClick, type SlackEvent, signedBySlack, type Thread } from "./slack.js";
import { isFinal, untilDone } from "./until-done.js";
import { serveWebhooks } from "./webhooks.js";

const { SLACK_BOT_TOKEN = "", SLACK_SIGNING_SECRET = "", SLACK_API_URL, WORKSPACE = ".", PORT = "3000" } = process.env;

const slack = new Slack(SLACK_BOT_TOKEN, SLACK_API_URL);
const outbox = new Outbox<Message>(process.env.OUTBOX ?? "outbox.json");

// #region sample
/** A person's message; its id is that of Slack's event, so a repeated event is the same message of the daemon. */
interface Message extends Thread {
  readonly text: string;
}

/** A session's id names its thread, so nothing has to remember which belongs to which. */
const sessionIdOf = ({ channel, thread }: Thread) => `slack:${channel}:${thread}`;

function threadOf(sessionId: string): Thread {
  const [, channel = "", thread = ""] = sessionId.split(":");
  return { channel, thread };
}

// A request waits in the daemon for the click, which may come to another process. A handler that threw would cancel it.
const connection = await connectDaemon({
  permissionHandler({ sessionId, requestId, toolUses, options }, { signal }) {
    const text = toolUses.map(({ toolUse }) => `${toolUse.name} ${JSON.stringify(toolUse.input)}`).join("\n");
    const buttons = options.map(({ label, value }) => ({ label, answer: value }));
    void untilDone(() => postButtons(sessionId, requestId, text, buttons), signal);
    return NO_ANSWER;
  },
  askUserHandler({ sessionId, requestId, questions }, { signal }) {
    const [asked] = questions;
    if (asked === undefined || asked.options.length === 0 || questions.length > 1) return { cancelled: true };
    const { index, question, options } = asked;
    const buttons = options.map((answer) => ({ label: answer, answer: { answers: [{ index, question, answer }] } }));
    void untilDone(() => postButtons(sessionId, requestId, question, buttons), signal);
    return NO_ANSWER;
  },
});

/** Serves one message to its end. Started again after a crash, it continues: each step acts once. */
async function serve(messageId: string, message: Message): Promise<void> {
  const sessionId = sessionIdOf(message);
  const after = await inOrder(sessionId, () => deliver(sessionId, messageId, message.text));
  const session = await connection.resumeSession(sessionId); // What waits for an answer goes to the handlers.
  try {
    void showProgress(session.follow({ after }), messageId, message).catch(console.error);
    const receipt = await session.waitForReceipt(messageId);
    await slack.postOnce(message, messageId, { text: answerOf(receipt) });
    outbox.remove(messageId);
  } finally {
    await session.detach(); // Ends what is followed, too.
  }
}

/** Sends a message, once. Returns where its events begin. */
async function deliver(sessionId: string, messageId: string, text: string): Promise<EventPosition | undefined> {
  const session = await open(sessionId);
  try {
    await session.send(text, { messageId });
    return session.snapshot.position;
  } finally {
    await session.detach();
  }
}

async function open(sessionId: string): Promise<DaemonSession> {
  try {
    return await connection.resumeSession(sessionId);
  } catch (error) {
    if (!(error instanceof SessionNotFoundError)) throw error;
    return connection.createSession({ sessionId, cwd: WORKSPACE, sessionSource: { platform: "slack" } });
  }
}

// #endregion sample

async function showProgress(events: SessionFollow, turnId: string, { channel, thread }: Thread): Promise<void> {
  for await (const event of events) {
    if (event.type !== "tool_call" || event.turnId !== turnId) continue;
    const status = `is using ${event.name}`;
    await slack.call("assistant.threads.setStatus", { channel_id: channel, thread_ts: thread, status });
  }
}

function answerOf({ state, reason = state, text = "" }: Receipt): string {
  if (state === "completed") return text;
  return state === "interrupted" ? `${text}\n_Stopped._` : `${text}\n_Failed: ${reason}_`;
}

interface Button {
  readonly label: string;
  readonly answer: PermissionAnswer | AskUserReply;
}

async function postButtons(sessionId: string, requestId: string, text: string, buttons: Button[]): Promise<void> {
  const elements = buttons.map(({ label, answer }, index) => {
    const value = JSON.stringify({ requestId, label, answer });
    return {
      type: "button",
      action_id: `answer-${index}`,
      text: { type: "plain_text", text: label.slice(0, 75) },
      value,
    };
  });
  const section = { type: "section", text: { type: "mrkdwn", text } };
  const blocks = [section, { type: "actions", elements }];
  await slack.postOnce(threadOf(sessionId), requestId, { text, blocks });
}

/** Serves a message until it is done. What fails meanwhile is repeated, because each step acts once. */
function work(messageId: string, message: Message): Promise<void> {
  return untilDone(() => serve(messageId, message).catch((error: unknown) => giveUp(messageId, message, error)));
}

async function giveUp(messageId: string, message: Message, error: unknown): Promise<void> {
  if (!isFinal(error)) throw error;
  await slack.postOnce(message, messageId, { text: `_Failed: ${error.message}_` });
  outbox.remove(messageId);
}

/** An event of Slack. It is acknowledged as soon as the outbox has it, whatever the daemon does. */
async function onEvent(body: string): Promise<object | undefined> {
  const { type, challenge, event_id: id = "", event = {} } = JSON.parse(body) as SlackEvent;
  if (type === "url_verification") return { challenge };
  const { channel = "", ts = "", thread_ts: thread = ts, bot_id: bot } = event;
  const text = (event.text ?? "").replace(/<@\w+>/g, "").trim();
  if (bot !== undefined || text === "") return undefined;
  if (text.toLowerCase() === "stop") {
    await stop(sessionIdOf({ channel, thread }));
  } else if (!outbox.jobs.some(([known]) => known === id)) {
    outbox.put(id, { channel, thread, text });
    void work(id, { channel, thread, text });
  }
  return undefined;
}

/** A click on a button, of a message that this process or another one posted. */
async function onClick(form: string): Promise<undefined> {
  const payload = JSON.parse(new URLSearchParams(form).get("payload") ?? "{}") as SlackClick;
  const [{ value = "{}" } = {}] = payload.actions;
  const { requestId, label, answer } = JSON.parse(value) as Button & { requestId: string };
  let text = `${label}, says <@${payload.user.id}>`;
  try {
    await connection.answerRequest(requestId, answer);
  } catch (error) {
    if (!DaemonError.is(error, "REQUEST_NOT_PENDING")) throw error;
    text = "This was answered before.";
  }
  await slack.call("chat.update", { channel: payload.channel.id, ts: payload.message.ts, text, blocks: [] });
}

/** Interrupts the session, once what was written before has reached it. */
async function stop(sessionId: string): Promise<void> {
  await inOrder(sessionId, () => connection.interruptSession(sessionId)).catch((error: unknown) => {
    if (!(error instanceof SessionNotFoundError)) throw error;
  });
}

for (const [id, message] of outbox.jobs) void work(id, message);

serveWebhooks(Number(PORT), {
  "/slack/events": signedBySlack(SLACK_SIGNING_SECRET, onEvent),
  "/slack/interactions": signedBySlack(SLACK_SIGNING_SECRET, onClick),
});

// A connection that cannot be restored ends the program: whatever supervises it starts it again.
await connection.closed;
process.exit(1);
