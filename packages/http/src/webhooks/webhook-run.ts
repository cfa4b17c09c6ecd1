import { setTimeout as delay } from "node:timers/promises";
import type { EventPosition } from "@daemon-sdk/client";
import { DaemonError } from "@daemon-sdk/protocol";
import type { ServedDaemon } from "../daemon/index.js";
import { SessionEvents, type SessionNews } from "../events/index.js";
import type { WebhookCursor, WebhookCursors } from "./cursors.js";
import { attempt, deliveryOf } from "./delivery.js";

/** What a {@link WebhookRun} is made of. */
export interface WebhookRunParts {
  readonly cursors: WebhookCursors;
  readonly pauseMs: number;
  readonly pauseMaxMs: number;
  /** The daemon with the webhook's session. */
  daemon(): Promise<ServedDaemon>;
  /** Called when the webhook has ended for good: its session or its receiver is gone. */
  onEnd(): void;
  onError(error: unknown): void;
}

/** How long a running delivery may take when the deliveries end. */
const GRACE_MS = 2_000;

/** Unwanted events after which the position is stored all the same. */
const SKIPPED_MAX = 1_000;

/**
 * Delivers the events of one webhook, in order, each until its receiver has accepted it. The position is stored after that: an event
 * whose acceptance was not stored is delivered again, under the same id.
 */
export class WebhookRun {
  readonly #parts: WebhookRunParts;
  readonly #ending = new AbortController();
  /** Aborted a moment after {@link #ending}: what a receiver has accepted shall be stored. */
  readonly #cutting = new AbortController();
  readonly #done: Promise<void>;
  #cursor: WebhookCursor;
  #isGone = false;

  constructor(cursor: WebhookCursor, parts: WebhookRunParts) {
    this.#cursor = cursor;
    this.#parts = parts;
    this.#done = this.#run();
  }

  /** The webhook, with the position up to which it is delivered. */
  get cursor(): WebhookCursor {
    return this.#cursor;
  }

  /** Ends the deliveries. Resolves when nothing is written any more. */
  async stop(): Promise<void> {
    this.#ending.abort();
    const cut = setTimeout(() => this.#cutting.abort(), GRACE_MS);
    await this.#done;
    clearTimeout(cut);
  }

  get #isEnding(): boolean {
    return this.#ending.signal.aborted || this.#isGone;
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#isEnding; failures++) {
      const before = this.#cursor;
      try {
        await this.#deliverAll();
      } catch (error) {
        if (this.#isEnding) break;
        this.#parts.onError(error);
        if (DaemonError.is(error, "SESSION_NOT_FOUND")) this.#isGone = true;
      }
      if (this.#cursor !== before) failures = 0;
      if (!this.#isEnding) await this.#pause(failures);
    }
    if (this.#isGone && !this.#ending.signal.aborted) this.#parts.onEnd();
  }

  async #deliverAll(): Promise<void> {
    const { sessionId, position, events: wanted } = this.#cursor;
    // A signal of its own: a failure here ends the reading, and the next round begins another one.
    const reading = new AbortController();
    const signal = AbortSignal.any([this.#ending.signal, reading.signal]);
    try {
      const daemon = await this.#parts.daemon();
      const events = await SessionEvents.open(daemon, { sessionId, after: position, partial: true, signal });
      for (let skipped = 0; ; ) {
        const news = await events.next();
        if (news === undefined) return;
        const isWanted = wanted.includes(news.type === "event" ? news.event.type : news.type);
        if (isWanted && !(await this.#deliver(news, events.position))) return;
        skipped = isWanted ? 0 : skipped + 1;
        if (!isWanted && skipped < SKIPPED_MAX) continue;
        skipped = 0;
        await this.#store({ position: events.position });
        if (this.#isEnding) return;
      }
    } finally {
      reading.abort();
    }
  }

  /** Resolves with true when the receiver has accepted it, with false when the deliveries have ended before. */
  async #deliver(news: SessionNews, at: EventPosition): Promise<boolean> {
    const delivery = deliveryOf(this.#cursor, news, at);
    for (let failures = 0; !this.#isEnding; failures++) {
      const outcome = await attempt(this.#cursor, delivery, this.#cutting.signal);
      if (outcome === "delivered") return true;
      if (outcome === "gone") this.#isGone = true;
      if (this.#isEnding) return false;
      if (this.#cursor.failingSince === undefined) await this.#store({ failingSince: Date.now() });
      await this.#pause(failures);
    }
    return false;
  }

  async #store(change: { position: EventPosition } | { failingSince: number }): Promise<void> {
    const { failingSince: _failingSince, ...cursor } = this.#cursor;
    this.#cursor = { ...cursor, ...change };
    await this.#parts.cursors.put(this.#cursor);
  }

  /** Between half of the time and all of it, so that receivers are not called by all webhooks at once. */
  async #pause(failures: number): Promise<void> {
    const { pauseMs, pauseMaxMs } = this.#parts;
    const longest = Math.min(pauseMaxMs, pauseMs * 2 ** Math.min(failures, 30));
    await delay(longest * (0.5 + Math.random() / 2), undefined, { signal: this.#ending.signal }).catch(() => {});
  }
}
