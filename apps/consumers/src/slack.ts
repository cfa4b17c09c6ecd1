import { checkSignature, type Webhook } from "./webhooks.js";

/** A thread, by its channel and the `ts` of its first message. */
export interface Thread {
  readonly channel: string;
  readonly thread: string;
}

/** An event, as far as a bot reads it. */
export interface SlackEvent {
  type: string;
  challenge?: string;
  event_id?: string;
  event?: { channel?: string; ts?: string; thread_ts?: string; text?: string; bot_id?: string };
}

/** A click on a button. */
export interface SlackClick {
  user: { id: string };
  channel: { id: string };
  message: { ts: string };
  actions: { value: string }[];
}

/** The webhook, for requests that Slack has signed. */
export function signedBySlack(secret: string, webhook: (body: string) => Promise<object | undefined>): Webhook {
  return (body, headers) => {
    const seconds = String(headers["x-slack-request-timestamp"]);
    const signature = String(headers["x-slack-signature"]).replace(/^v0=/, "");
    const text = `v0:${seconds}:${body}`;
    checkSignature({ secret, text, signature, signedAtMs: Number(seconds) * 1000, maxAgeMs: 300_000 });
    return webhook(body);
  };
}

/** A message; a click on a button returns its value. */
export interface Post {
  readonly text: string;
  readonly buttons?: readonly { readonly label: string; readonly value: object }[];
}

/** The calls of Slack's Web API that a bot needs. */
export class Slack {
  readonly #token: string;
  readonly #url: string;

  constructor(token: string, url = "https://slack.com/api") {
    this.#token = token;
    this.#url = url;
  }

  /** Posts a message in a thread, unless the thread has the one of that key. Slack keeps the key with the message. */
  async postOnce({ channel, thread }: Thread, key: string, { text, buttons = [] }: Post): Promise<void> {
    const page = { channel, ts: thread, include_all_metadata: true, limit: 200 };
    for (let cursor: string | undefined = ""; cursor !== undefined; ) {
      const replies: Replies = await this.call("conversations.replies", { ...page, cursor });
      if (replies.messages.some(({ metadata }) => metadata?.event_payload?.key === key)) return;
      cursor = replies.response_metadata?.next_cursor || undefined;
    }
    const metadata = { event_type: "daemon_sdk", event_payload: { key } };
    const elements = buttons.map(({ label, value }, index) => ({
      type: "button",
      action_id: `answer-${index}`,
      text: { type: "plain_text", text: label.slice(0, 75) },
      value: JSON.stringify(value),
    }));
    const section = { type: "section", text: { type: "mrkdwn", text } };
    const blocks = buttons.length === 0 ? {} : { blocks: [section, { type: "actions", elements }] };
    await this.call("chat.postMessage", { channel, thread_ts: thread, metadata, text, ...blocks });
  }

  /** Calls a method. Throws when Slack refuses. */
  async call<Result>(method: string, params: Readonly<Record<string, unknown>>): Promise<Result> {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(params)) {
      body.set(name, typeof value === "string" ? value : JSON.stringify(value));
    }
    const headers = { authorization: `Bearer ${this.#token}` };
    const response = await fetch(`${this.#url}/${method}`, { method: "POST", headers, body });
    const result = (await response.json()) as { ok: boolean; error?: string };
    if (!result.ok) throw new SlackError(`${method}: ${result.error}`);
    return result as Result;
  }
}

/** A call that Slack refused. */
export class SlackError extends Error {}

interface Replies {
  messages: { metadata?: { event_payload?: { key?: string } } }[];
  response_metadata?: { next_cursor?: string };
}
