import { createHmac } from "node:crypto";
import type { Server } from "node:http";
import { Calls, startService } from "./calls.js";

const SECRET = "a-signing-secret";
/** So that a thread of a few messages has several pages. */
const PAGE = 2;

/** A message that a bot posted, or updated. */
export interface Post {
  readonly ts: string;
  readonly channel: string;
  readonly thread_ts: string;
  text: string;
  blocks?: { type: string; elements?: { value: string; text: { text: string } }[] }[];
  metadata?: unknown;
}

/** Slack's Web API and its requests to a bot, as far as the bot uses them. */
export class FakeSlack implements AsyncDisposable {
  readonly #server: Server & { url: string };
  readonly posts: Calls<Post>;
  readonly statuses: Calls<Record<string, string>>;
  /** How many of the next posts fail. */
  readonly failing: { posts: number };

  private constructor(server: Server & { url: string }, parts: Pick<FakeSlack, "posts" | "statuses" | "failing">) {
    this.#server = server;
    this.posts = parts.posts;
    this.statuses = parts.statuses;
    this.failing = parts.failing;
  }

  static async start(): Promise<FakeSlack> {
    const posts = new Calls<Post>();
    const statuses = new Calls<Record<string, string>>();
    const failing = { posts: 0 };
    const server = await startService((path, body) => {
      const params = Object.fromEntries(new URLSearchParams(body));
      if (path === "/chat.postMessage" && failing.posts > 0) {
        failing.posts--;
        return { ok: false, error: "internal_error" };
      }
      if (path === "/chat.postMessage") {
        const { channel = "", thread_ts = "", text = "", blocks, metadata } = params;
        const ts = `${posts.all.length + 1}.000`;
        const read = (json: string | undefined) => (json === undefined ? undefined : JSON.parse(json));
        posts.push({ ts, channel, thread_ts, text, blocks: read(blocks), metadata: read(metadata) });
      } else if (path === "/chat.update") {
        const post = posts.all.find(({ ts }) => ts === params.ts);
        if (post === undefined) return { ok: false, error: "message_not_found" };
        Object.assign(post, { text: params.text, blocks: [] });
      } else if (path === "/assistant.threads.setStatus") statuses.push(params);
      else if (path === "/conversations.replies") return pageOf(posts.all, params);
      else return { ok: false, error: "unknown_method" };
      return { ok: true };
    });
    return new FakeSlack(server, { posts, statuses, failing });
  }

  /** What a bot has to know of this Slack. */
  get env(): Record<string, string> {
    return { SLACK_API_URL: this.#server.url, SLACK_BOT_TOKEN: "xoxb-none", SLACK_SIGNING_SECRET: SECRET };
  }

  /** The texts that were posted in a thread. */
  textsOf(thread: string): string[] {
    return this.posts.all.filter(({ thread_ts }) => thread_ts === thread).map(({ text }) => text);
  }

  /** Delivers a message of a person. Rejects when nobody listens, as a request of Slack's fails then. */
  say(port: number, eventId: string, thread: string, text: string): Promise<Response> {
    const event = { type: "app_mention", channel: "C1", ts: thread, thread_ts: thread, text: `<@U0> ${text}` };
    return this.send(port, "/slack/events", JSON.stringify({ type: "event_callback", event_id: eventId, event }));
  }

  /** Presses the button of that label. */
  click(port: number, post: Post, label: string): Promise<Response> {
    const buttons = post.blocks?.flatMap(({ elements = [] }) => elements) ?? [];
    const value = buttons.find(({ text }) => text.text === label)?.value;
    const payload = { user: { id: "U1" }, channel: { id: "C1" }, message: { ts: post.ts }, actions: [{ value }] };
    const form = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
    return this.send(port, "/slack/interactions", form);
  }

  /** Sends a signed request. */
  send(port: number, path: string, body: string, { secret = SECRET, ageMs = 0 } = {}): Promise<Response> {
    const seconds = String(Math.floor((Date.now() - ageMs) / 1000));
    const signature = createHmac("sha256", secret).update(`v0:${seconds}:${body}`).digest("hex");
    const headers = { "x-slack-request-timestamp": seconds, "x-slack-signature": `v0=${signature}` };
    return fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", headers, body });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

function pageOf(posts: readonly Post[], { ts, cursor = "" }: Record<string, string>): object {
  const replies = posts.filter(({ thread_ts }) => thread_ts === ts);
  const from = Number(cursor);
  const next = from + PAGE < replies.length ? String(from + PAGE) : "";
  return { ok: true, messages: replies.slice(from, from + PAGE), response_metadata: { next_cursor: next } };
}
