import type { AvailableSession, DaemonConnection, OpenedSession } from "@daemon-sdk/client";
import type { InboxRequest } from "@daemon-sdk/protocol";
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { type Access, openConnection } from "../link/index.js";

/** What the user sees of the connection. */
export type LinkState = "connecting" | "connected" | "reconnecting" | "refused" | "unreachable";

/** A session in the list: what is stored of it, and what it does now. */
export interface SessionRow extends AvailableSession {
  readonly activity: string;
  readonly isOpen: boolean;
}

/** Between two looks at the lists, while the page is visible. */
const REFRESH_MS = 2_000;
const PAGE = 100;

/** The daemon as this page knows it: the connection, the lists of sessions and of requests. */
export class DaemonState {
  readonly link: Signal<LinkState> = signal("connecting");
  readonly connection: Signal<DaemonConnection | undefined> = signal(undefined);
  readonly requests: Signal<readonly InboxRequest[]> = signal([]);
  /** Undefined until the list was read for the first time. */
  readonly sessions: ReadonlySignal<readonly SessionRow[] | undefined>;
  /** A failure that the user has to see; it goes with the next success. */
  readonly failure: Signal<string | undefined> = signal(undefined);
  readonly #access: Access;
  readonly #stored: Signal<readonly AvailableSession[] | undefined> = signal(undefined);
  readonly #opened: Signal<readonly OpenedSession[]> = signal([]);
  readonly nextPage: Signal<number | undefined> = signal(undefined);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #older: readonly AvailableSession[] = [];

  constructor(access: Access) {
    this.#access = access;
    this.sessions = computed(() => this.#merged());
  }

  /** Connects, and keeps the lists fresh from then on. */
  async connect(): Promise<void> {
    this.link.value = "connecting";
    try {
      const connection = await openConnection(this.#access, {
        onStatus: ({ type }) => this.#onStatus(type),
        onRefused: () => void this.#refused(),
      });
      this.connection.value = connection;
      this.link.value = "connected";
      void connection.closed.then(() => this.#ended());
      await this.refresh();
    } catch {
      this.#ended();
    }
  }

  /** Looks at the lists again as soon as somebody looks at the page; returns what ends that. */
  watchVisibility(): () => void {
    const look = (): void => void this.refresh();
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }

  /** Ends the access of this tab. */
  async leave(): Promise<void> {
    await this.#refused();
    await this.#access.leave().catch(() => {});
  }

  /** Reads the lists now. */
  async refresh(): Promise<void> {
    clearTimeout(this.#timer);
    const connection = this.connection.value;
    if (connection === undefined || this.link.value !== "connected") return;
    if (document.visibilityState === "visible") {
      try {
        const [stored, opened, requests] = await Promise.all([
          connection.listAvailableSessions({ limit: PAGE }),
          connection.listOpenedSessions(),
          connection.listRequests(),
        ]);
        this.#stored.value = [...stored.sessions, ...this.#after(stored.sessions)];
        if (this.#older.length === 0) this.nextPage.value = stored.nextCursor;
        this.#opened.value = opened;
        if (!isSameList(this.requests.value, requests)) this.requests.value = requests;
      } catch {
        // The connection says what is wrong with it.
      }
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.refresh(), REFRESH_MS);
  }

  /** Reads the next page of older sessions. */
  async readOlder(): Promise<void> {
    const endBefore = this.nextPage.value;
    const connection = this.connection.value;
    if (endBefore === undefined || connection === undefined) return;
    const page = await this.attempt(() => connection.listAvailableSessions({ limit: PAGE, endBefore }));
    if (page === undefined) return;
    this.#older = [...this.#older, ...page.sessions];
    this.nextPage.value = page.nextCursor;
    await this.refresh();
  }

  /** Runs a call for the user, and shows its failure. */
  async attempt<Result>(run: () => Promise<Result>): Promise<Result | undefined> {
    try {
      const result = await run();
      this.failure.value = undefined;
      return result;
    } catch (error) {
      this.failure.value = error instanceof Error ? error.message : String(error);
      return undefined;
    }
  }

  #after(fresh: readonly AvailableSession[]): readonly AvailableSession[] {
    const known = new Set(fresh.map(({ sessionId }) => sessionId));
    return this.#older.filter(({ sessionId }) => !known.has(sessionId));
  }

  #onStatus(type: "connected" | "reconnecting" | "disconnected"): void {
    if (type === "disconnected" || this.connection.value === undefined) return;
    this.link.value = type;
    if (type === "connected") void this.refresh();
  }

  /** The link was used, or the daemon was restarted and does not know the credential of this tab. */
  async #refused(): Promise<void> {
    this.link.value = "refused";
    await this.connection.value?.close();
  }

  #ended(): void {
    this.connection.value = undefined;
    if (this.link.value !== "refused") this.link.value = "unreachable";
  }

  #merged(): readonly SessionRow[] | undefined {
    const stored = this.#stored.value;
    if (stored === undefined) return undefined;
    const asked = new Set(this.requests.value.map(({ sessionId }) => sessionId));
    const opened = new Map(this.#opened.value.map((one) => [one.sessionId, one]));
    return stored.map((one) => {
      const live = opened.get(one.sessionId);
      const activity = asked.has(one.sessionId) ? "waiting-you" : (live?.activity ?? "idle");
      return { ...one, activity, isOpen: live !== undefined };
    });
  }
}

function isSameList(one: readonly InboxRequest[], other: readonly InboxRequest[]): boolean {
  return one.length === other.length && one.every(({ requestId }, index) => requestId === other[index]?.requestId);
}
