/** A Slack bot: a thread is a session. Everything that has to survive is in the daemon, in Slack, or in the outbox. */
import {
  connectDaemon,
  DaemonError,
  presentRequest,
  type Receipt,
  type RequestChoice,
  type RequestOpenedEvent,
} from "@daemon-sdk/client";
import { Outbox } from "./outbox.js";
import { Slack, type SlackClick, type SlackEvent, signedBySlack, type Thread } from "./slack.js";
import { serveWebhooks } from "./webhooks.js";

const { SLACK_BOT_TOKEN = "", SLACK_SIGNING_SECRET = "", SLACK_API_URL } = process.env;
const { OUTBOX = "outbox.json", WORKSPACE = ".", PORT = "3000" } = process.env;

const slack = new Slack(SLACK_BOT_TOKEN, SLACK_API_URL);
const connection = await connectDaemon();

// #region sample
/** A person's message; its id is that of Slack's event, so a repeated event is the same message of the daemon. */
interface Message extends Thread {
  readonly text: string;
}

/** A session's id names its thread, so nothing has to remember which belongs to which. */
const sessionIdOf = ({ channel, thread }: Thread) => `slack:${channel}:${thread}`;

/** Serves one message to its end. Started again after a crash, it does the same again: each step acts once. */
async function serve(messageId: string, message: Message): Promise<void> {
  const sessionId = sessionIdOf(message);
  const create = { cwd: WORKSPACE, sessionSource: { platform: "slack" } };
  await connection.send(sessionId, message.text, { messageId, create });
  for await (const event of connection.follow(sessionId, { turnId: messageId })) {
    if (event.type === "tool_call") void showStatus(message, `is using ${event.name}`).catch(console.error);
    if (event.type === "request_opened") await ask(message, event);
  }
  const receipt = await connection.waitForReceipt(sessionId, messageId);
  await slack.postOnce(message, messageId, { text: answerOf(receipt) });
}

/** Posts a request with buttons. It waits in the daemon for the click, which may come to another process. */
async function ask(thread: Thread, request: RequestOpenedEvent): Promise<void> {
  const { requestId } = request;
  const pending = await connection.listRequests({ sessionId: sessionIdOf(thread) });
  if (!pending.some((one) => one.requestId === requestId)) return;
  const { text, choices } = presentRequest(request);
  if (choices.length === 0) return connection.answerRequest(requestId, { cancelled: true });
  const buttons = choices.map(({ label, answer }) => ({ label, value: { requestId, label, answer } }));
  await slack.postOnce(thread, requestId, { text, buttons });
}

/** A click on a button, of a message that this process or another one posted. */
async function onClick(form: string): Promise<undefined> {
  const click = JSON.parse(new URLSearchParams(form).get("payload") ?? "{}") as SlackClick;
  const { requestId, label, answer } = JSON.parse(click.actions[0]?.value ?? "{}") as RequestChoice & {
    requestId: string;
  };
  let text = `${label}, says <@${click.user.id}>`;
  try {
    await connection.answerRequest(requestId, answer);
  } catch (error) {
    if (!DaemonError.is(error, "REQUEST_NOT_PENDING")) throw error;
    text = "This was answered before.";
  }
  await slack.call("chat.update", { channel: click.channel.id, ts: click.message.ts, text, blocks: [] });
}
// #endregion sample

function showStatus({ channel, thread }: Thread, status: string): Promise<unknown> {
  return slack.call("assistant.threads.setStatus", { channel_id: channel, thread_ts: thread, status });
}

function answerOf({ state, reason = state, text = "" }: Receipt): string {
  if (state === "completed") return text;
  return state === "interrupted" ? `${text}\n_Stopped._` : `${text}\n_Failed: ${reason}_`;
}

/** An event of Slack. It is acknowledged as soon as the outbox has it, whatever the daemon does. */
async function onEvent(body: string): Promise<object | undefined> {
  const { type, challenge, event_id: id = "", event = {} } = JSON.parse(body) as SlackEvent;
  if (type === "url_verification") return { challenge };
  const { channel = "", ts = "", thread_ts: thread = ts, bot_id: bot } = event;
  const text = (event.text ?? "").replace(/<@\w+>/g, "").trim();
  if (bot !== undefined || text === "") return undefined;
  if (text.toLowerCase() === "stop") {
    // Behind what was written before. A thread that has no session has nothing to stop.
    await connection.interruptSession(sessionIdOf({ channel, thread })).catch((error: unknown) => {
      if (!DaemonError.is(error, "SESSION_NOT_FOUND")) throw error;
    });
  } else outbox.put(id, { channel, thread, text });
  return undefined;
}

const outbox = new Outbox<Message>(OUTBOX, {
  work: serve,
  giveUp: (messageId, message, { message: text }) => slack.postOnce(message, messageId, { text: `_Failed: ${text}_` }),
});

serveWebhooks(Number(PORT), {
  "/slack/events": signedBySlack(SLACK_SIGNING_SECRET, onEvent),
  "/slack/interactions": signedBySlack(SLACK_SIGNING_SECRET, onClick),
});

// A connection that cannot be restored ends the program: whatever supervises it starts it again.
await connection.closed;
process.exit(1);
