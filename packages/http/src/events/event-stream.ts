import type { FollowedEvent } from "@daemon-sdk/client";
import { eventId } from "./event-id.js";
import type { SessionEvents, SessionNews } from "./session-events.js";

/** Options of {@link eventStream}. */
export interface EventStreamOptions {
  readonly heartbeatMs: number;
  /** Ends the reading of the events. */
  end(): void;
  /** Called with the failure that ended the stream. */
  onError(error: unknown): void;
}

/** How soon an `EventSource` connects again. */
const RETRY_MS = 1_000;

const SILENCE = Symbol("silence");

/**
 * The text of a stream of server-sent events, as bytes.
 *
 * An event is read when the consumer wants more, and the daemon is asked for the next page when one was consumed: a consumer that
 * stands still costs one page here, whatever the session does. A failure ends the stream; the next request with `Last-Event-ID`
 * states the reason.
 */
export function eventStream(events: SessionEvents, options: EventStreamOptions): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const texts = new EventTexts(events, options.heartbeatMs);
  let hasEnded = false;
  const end = (): void => {
    hasEnded = true;
    options.end();
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const text = await texts.next();
          if (text !== undefined && !hasEnded) return controller.enqueue(encoder.encode(text));
        } catch (error) {
          if (!hasEnded) options.onError(error);
        }
        if (hasEnded) return;
        end();
        controller.close();
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
}

/** The texts of a stream, one after another. */
class EventTexts {
  readonly #events: SessionEvents;
  readonly #heartbeatMs: number;
  #next: Promise<SessionNews | undefined> | undefined;
  /** The last id that was sent; undefined before the first text. */
  #sentId: string | undefined;

  constructor(events: SessionEvents, heartbeatMs: number) {
    this.#events = events;
    this.#heartbeatMs = heartbeatMs;
  }

  /** The next text; undefined at the end. The first one has the id after which the stream begins. */
  async next(): Promise<string | undefined> {
    if (this.#sentId === undefined) {
      this.#sentId = eventId(this.#events.position);
      return `retry: ${RETRY_MS}\nid: ${this.#sentId}\n\n`;
    }
    this.#next ??= this.#events.next();
    const news = await orSilence(this.#next, this.#heartbeatMs);
    if (news === SILENCE) return this.#heartbeat();
    this.#next = undefined;
    if (news?.type === "event") this.#sentId = eventId(news.event.position);
    return news === undefined ? undefined : textOf(news);
  }

  /** A comment; with the position of the last event that was read, where that one was not sent. */
  #heartbeat(): string {
    const id = eventId(this.#events.position);
    if (id === this.#sentId) return ": heartbeat\n\n";
    this.#sentId = id;
    return `: heartbeat\nid: ${id}\n\n`;
  }
}

function textOf(news: SessionNews): string {
  if (news.type === "requests") return `event: requests\ndata: ${JSON.stringify({ requests: news.requests })}\n\n`;
  const { event } = news;
  return `id: ${eventId(event.position)}\nevent: ${nameOf(event)}\ndata: ${JSON.stringify(dataOf(event))}\n\n`;
}

/** `error` is what an `EventSource` calls a lost connection, so the agent's error needs another name. */
function nameOf({ type }: FollowedEvent): string {
  return type === "error" ? "agent_error" : type;
}

/**
 * The event without its position, which is its id. A result does not repeat the messages, which are events of their own; and it has no
 * `durationMs`, which is the time that this process took to read the turn. So an event is the same whenever it is read.
 */
export function dataOf(event: FollowedEvent): Record<string, unknown> {
  const { position: _position, ...data } = event;
  if (data.type !== "result") return data;
  const { messages: _messages, durationMs: _durationMs, ...result } = data;
  return result;
}

async function orSilence<Value>(value: Promise<Value>, afterMs: number): Promise<Value | typeof SILENCE> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<typeof SILENCE>((resolve) => {
    timer = setTimeout(resolve, afterMs, SILENCE);
  });
  try {
    return await Promise.race([value, silence]);
  } finally {
    clearTimeout(timer);
  }
}
