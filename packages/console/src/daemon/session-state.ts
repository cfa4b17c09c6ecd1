import type { DaemonConnection, FollowedEvent } from "@daemon-sdk/client";
import { DaemonError, newId } from "@daemon-sdk/protocol";
import { type Signal, signal } from "@preact/signals";
import { Transcript } from "../model/index.js";

/** Messages in one page of a conversation: the most that a daemon sends at once. */
const PAGE = 100;
/** Pages that are read before the transcript is shown; older ones come when the user scrolls up. */
const FIRST_PAGES = 1;

/** One session that the user looks at: its transcript, kept up to date until {@link close}. */
export class SessionState {
  readonly sessionId: string;
  readonly transcript: Transcript = new Transcript();
  /** Grows with each change of the transcript. */
  readonly version: Signal<number> = signal(0);
  readonly isLoading: Signal<boolean> = signal(true);
  readonly failure: Signal<string | undefined> = signal(undefined);
  /** Whether a turn runs, as far as the events of this session say. */
  readonly isBusy: Signal<boolean> = signal(false);
  readonly hasOlder: Signal<boolean> = signal(false);
  readonly #connection: DaemonConnection;
  readonly #ending = new AbortController();
  #cursor: string | undefined;
  /** The last page of older messages that was asked for. */
  #reading: Promise<void> | undefined;
  #isDrawing = false;

  constructor(connection: DaemonConnection, sessionId: string) {
    this.#connection = connection;
    this.sessionId = sessionId;
    void this.#run();
  }

  /** Stops following. The session goes on. */
  close(): void {
    this.#ending.abort();
  }

  /** Sends a prompt; it waits when a turn runs. Opens a session again that was closed. Rejects when it was not accepted. */
  async send(text: string): Promise<void> {
    const messageId = newId();
    this.transcript.addPrompt(messageId, text);
    this.#changed();
    try {
      await this.#connection.send(this.sessionId, text, { messageId }).catch(async (error: unknown) => {
        if (!DaemonError.is(error, "SESSION_CLOSED")) throw error;
        const session = await this.#connection.resumeSession(this.sessionId);
        // The page follows; an attachment would get all events a second time.
        await session.detach();
        await this.#connection.send(this.sessionId, text, { messageId });
      });
    } catch (error) {
      this.transcript.dropPrompt(messageId);
      this.#changed();
      throw error;
    }
  }

  /** Interrupts the running turn. */
  interrupt(): Promise<void> {
    return this.#connection.interruptSession(this.sessionId);
  }

  /** Reads one page of older messages. Rejects when it cannot be read. */
  async readOlder(): Promise<void> {
    if (this.#cursor === undefined || this.isLoading.value) return;
    this.isLoading.value = true;
    this.#reading = this.#readPage();
    try {
      await this.#reading;
    } finally {
      this.isLoading.value = false;
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    try {
      const events = this.#connection.follow(this.sessionId, { includePartialMessages: true, signal });
      // First the place from which on it follows, then what was before: nothing is missed in between.
      await events.begin;
      for (let page = 0; page < FIRST_PAGES; page++) await this.#readPage();
      this.isLoading.value = false;
      for await (const event of events) {
        if (event.type === "gap") await this.#readAgain();
        else this.#apply(event);
      }
    } catch (error) {
      if (!signal.aborted) this.failure.value = error instanceof Error ? error.message : String(error);
    }
    this.isLoading.value = false;
  }

  async #readPage(): Promise<void> {
    const cursor = this.#cursor === undefined ? {} : { cursor: this.#cursor };
    const page = await this.#connection.getSessionMessages(this.sessionId, { limit: PAGE, ...cursor });
    this.transcript.addOlder(page.messages);
    this.#cursor = page.nextCursor;
    this.hasOlder.value = page.hasMore;
    this.#changed();
  }

  /** Events are missing. What they were about is in the newest page, which may lie behind others that were not read. */
  async #readAgain(): Promise<void> {
    await this.#reading?.catch(() => {});
    this.transcript.clear();
    this.#cursor = undefined;
    await this.#readPage();
  }

  #apply(event: FollowedEvent): void {
    if (event.type === "working_state_changed") this.isBusy.value = event.state !== "idle";
    if (event.type === "result") this.isBusy.value = false;
    if (this.transcript.apply(event)) this.#changed();
  }

  /** One redraw for everything that happens in a frame. */
  #changed(): void {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    requestAnimationFrame(() => {
      this.#isDrawing = false;
      this.version.value++;
    });
  }
}
