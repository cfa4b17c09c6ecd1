import { setTimeout as delay } from "node:timers/promises";
import type { DaemonConnection, EventPosition } from "@daemon-sdk/client";
import { EventParser } from "../../../packages/http/test/support/read-events.js";
import { idOf, type Word } from "./journal-words.js";

/** What a follower reads, and from where. */
export interface FollowerOptions {
  readonly name: string;
  readonly sessionId: string;
  /** The id after which it begins. */
  readonly after: string;
  readonly partial: boolean;
}

/** Somebody who follows a session until its last turn has ended, whatever happens meanwhile. */
export abstract class Follower {
  readonly options: FollowerOptions;
  /** What it got, in order. */
  readonly words: Word[] = [];
  /** The position of the last thing that it got. */
  protected lastId: string;
  #reading = new AbortController();
  #hasEnded = false;

  constructor(options: FollowerOptions) {
    this.options = options;
    this.lastId = options.after;
  }

  /** Reads until the word that is looked for, or {@link end}. */
  async until(isLast: (word: Word) => boolean): Promise<void> {
    while (!this.#hasEnded && !isLast(this.words.at(-1) ?? NOTHING)) {
      this.#reading = new AbortController();
      await this.read(this.#reading.signal, isLast);
    }
  }

  /** Ends what it reads; it begins again where it was, as a program that was started again. */
  reopen(): void {
    this.#reading.abort();
  }

  /** Ends what it reads, for good. A follow of a closed connection ends without an error, and would be begun again for ever. */
  end(): void {
    this.#hasEnded = true;
    this.#reading.abort();
  }

  /** Reads until the word that is looked for, the signal, or the end of a link. */
  protected abstract read(signal: AbortSignal, isLast: (word: Word) => boolean): Promise<void>;

  protected take(word: Word): void {
    this.words.push(word);
    this.lastId = word.id;
  }
}

const NOTHING: Word = { type: "nothing", id: "" };
const RETRY_MS = 20;

/** Follows with the SDK, over a connection of its own. */
export class SdkFollower extends Follower {
  readonly #connection: DaemonConnection;

  constructor(options: FollowerOptions, connection: DaemonConnection) {
    super(options);
    this.#connection = connection;
  }

  protected async read(signal: AbortSignal, isLast: (word: Word) => boolean): Promise<void> {
    const { sessionId, partial } = this.options;
    const after = positionOf(this.lastId);
    const events = this.#connection.follow(sessionId, { after, includePartialMessages: partial, signal });
    for await (const event of events) {
      const { type, turnId, position } = event;
      const text = type === "result" ? event.text : undefined;
      const delta = type === "assistant_text_delta" ? event.text : undefined;
      const word = { type, turnId, id: idOf(position), text, delta };
      this.take(word);
      if (isLast(word)) return;
    }
  }
}

/** Follows over HTTP: a client that knows server-sent events and `Last-Event-ID`, and nothing else. */
export class SseFollower extends Follower {
  readonly #baseUrl: string;

  constructor(options: FollowerOptions, baseUrl: string) {
    super(options);
    this.#baseUrl = baseUrl;
  }

  protected async read(signal: AbortSignal, isLast: (word: Word) => boolean): Promise<void> {
    const { sessionId, partial } = this.options;
    const url = `${this.#baseUrl}/sessions/${sessionId}/events?partial=${partial}`;
    try {
      const response = await fetch(url, { headers: { "last-event-id": this.lastId }, signal });
      const parser = new EventParser();
      parser.lastId = this.lastId;
      // The types of pages are in force here, and theirs has no iterator.
      const body = response.status === 200 ? response.body : null;
      for await (const piece of (body ?? []) as unknown as AsyncIterable<Uint8Array>) {
        for (const { id, event, data } of parser.push(piece)) {
          if (event === "requests") continue;
          this.take(wordOf(id, event, data));
          if (isLast(this.words.at(-1) as Word)) return;
        }
        this.lastId = parser.lastId;
      }
    } catch {
      // The link was cut, the gateway is being replaced, or the signal ended the reading: all of them are repaired by reading again.
    }
    await delay(RETRY_MS);
  }
}

function wordOf(id: string, event: string, data: unknown): Word {
  const { turnId, text } = data as { turnId?: string; text?: string };
  return {
    id,
    turnId,
    // `error` is what an `EventSource` calls a lost connection.
    type: event === "agent_error" ? "error" : event,
    text: event === "result" ? text : undefined,
    delta: event === "assistant_text_delta" ? text : undefined,
  };
}

function positionOf(id: string): EventPosition {
  const [epoch = 0, seq = 0, part] = id.split(".").map(Number);
  return part === undefined ? { epoch, seq } : { epoch, seq, part };
}
