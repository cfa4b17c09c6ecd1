import { randomUUID } from "node:crypto";
import { InvalidOptionError } from "@daemon-sdk/protocol";
import type { HttpPrincipal } from "../access/index.js";
import type { ServedDaemon } from "../daemon/index.js";
import { HTTP_LIMITS } from "../limits.js";
import { HttpRefusal } from "../problem/index.js";
import type { WebhookCursor, WebhookCursors } from "./cursors.js";
import { newSecret } from "./signature.js";
import { WebhookRun } from "./webhook-run.js";

/** Option `webhooks` of `createHttpHandler`. Without it, the gateway has none. */
export interface WebhookOptions {
  /** Where webhooks and their positions are kept. */
  readonly cursors: WebhookCursors;
  /**
   * Origins to which deliveries may go, such as `https://hooks.example.com`. Without this list a caller could reach every address
   * that this process can.
   */
  readonly receivers: readonly string[];
  /** Pause after the first failed delivery, in ms; it doubles with each further one, up to 5 minutes. Default 1 000. */
  readonly pauseMs?: number;
}

/** What {@link Webhooks} is made of. */
export interface WebhooksParts extends WebhookOptions {
  daemonOf(principal: HttpPrincipal): Promise<ServedDaemon>;
  onError(error: unknown): void;
}

/** What a caller states of a new webhook. */
export type NewWebhook = Pick<WebhookCursor, "url" | "sessionId" | "events" | "position">;

/** The webhooks of all principals. Those that are stored are delivered from the beginning, before any request. */
export class Webhooks {
  readonly #parts: WebhooksParts;
  readonly #receivers: ReadonlySet<string>;
  readonly #runs = new Map<string, WebhookRun>();
  readonly #loaded: Promise<void>;
  #isClosed = false;

  constructor(parts: WebhooksParts) {
    this.#parts = parts;
    for (const receiver of parts.receivers) {
      if (!URL.canParse(receiver) || new URL(receiver).origin !== receiver)
        throw new InvalidOptionError("webhooks.receivers", 'origins such as "https://hooks.example.com"', receiver);
    }
    this.#receivers = new Set(parts.receivers);
    this.#loaded = this.#load();
    this.#loaded.catch(parts.onError);
  }

  /** The webhooks of a principal, the oldest first. */
  async list({ id }: HttpPrincipal): Promise<WebhookCursor[]> {
    await this.#loaded;
    const own = [...this.#runs.values()].map(({ cursor }) => cursor).filter(({ principalId }) => principalId === id);
    return own.sort((a, b) => a.createdAt - b.createdAt);
  }

  /** Adds a webhook. Resolves when it is stored. */
  async add(principal: HttpPrincipal, wanted: NewWebhook): Promise<WebhookCursor> {
    this.#checkReceiver(wanted.url);
    if ((await this.list(principal)).length >= HTTP_LIMITS.webhooksPerPrincipal) {
      const text = `A caller has ${HTTP_LIMITS.webhooksPerPrincipal} webhooks at most. Remove one first.`;
      throw new HttpRefusal(429, "QUEUE_FULL", text);
    }
    const own = { webhookId: randomUUID(), principalId: principal.id, secret: newSecret(), createdAt: Date.now() };
    const cursor: WebhookCursor = { ...wanted, ...own };
    await this.#parts.cursors.put(cursor);
    this.#start(cursor);
    return cursor;
  }

  /** Removes a webhook of a principal; false where the principal has none of that id. */
  async remove(principal: HttpPrincipal, webhookId: string): Promise<boolean> {
    await this.#loaded;
    const run = this.#runs.get(webhookId);
    if (run === undefined || run.cursor.principalId !== principal.id) return false;
    this.#runs.delete(webhookId);
    await run.stop();
    await this.#parts.cursors.remove(webhookId);
    return true;
  }

  /** Ends all deliveries. What is not delivered is delivered after the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#loaded.catch(() => {});
    await Promise.all([...this.#runs.values()].map((run) => run.stop()));
  }

  async #load(): Promise<void> {
    for (const cursor of await this.#parts.cursors.list()) this.#start(cursor);
  }

  #start(cursor: WebhookCursor): void {
    if (this.#isClosed) return;
    const { webhookId, principalId } = cursor;
    const { cursors, daemonOf, onError, pauseMs = HTTP_LIMITS.deliveryPauseMs } = this.#parts;
    const run = new WebhookRun(cursor, {
      cursors,
      pauseMs,
      pauseMaxMs: HTTP_LIMITS.deliveryPauseMaxMs,
      daemon: async () => {
        this.#checkReceiver(cursor.url);
        return daemonOf({ id: principalId });
      },
      onEnd: () => {
        this.#runs.delete(webhookId);
        cursors.remove(webhookId).catch(onError);
      },
      onError,
    });
    this.#runs.set(webhookId, run);
  }

  #checkReceiver(address: string): void {
    const { origin, username, password } = new URL(address);
    if (this.#receivers.has(origin) && username === "" && password === "") return;
    throw new HttpRefusal(403, "NOT_ALLOWED", "Deliveries may not go to this address. See the option `receivers`.");
  }
}
