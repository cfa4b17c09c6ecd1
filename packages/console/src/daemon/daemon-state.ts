import type { AvailableSession, DaemonConnection, OpenedSession } from "@daemon-sdk/client";
import { ConnectionError, type InboxRequest } from "@daemon-sdk/protocol";
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { type Access, openConnection } from "../link/index.js";
import { FleetState } from "./fleet-state.js";

/** What the user sees of the connection. */
export type LinkState = "connecting" | "connected" | "reconnecting" | "refused" | "unreachable";

/** A session in the list: what is stored of it, and what it does now. */
export interface SessionRow extends Pick<AvailableSession, "sessionId" | "title" | "cwd" | "updatedAt" | "archivedAt"> {
  readonly activity: string;
  readonly isOpen: boolean;
  /** The machine that has it; undefined where the daemon is in no fleet. */
  readonly machineId?: string | undefined;
}

/** A request in the inbox, and the machine that it is of; undefined where the daemon is in no fleet. */
export type RequestRow = InboxRequest & { readonly machineId?: string | undefined };

/** Between two looks at the lists, while the page is visible. */
const REFRESH_MS = 2_000;
const PAGE = 100;

/**
 * The daemon as this page knows it: the connection, the lists of sessions and of requests. Where the daemon is in a fleet these lists are
 * those of all machines.
 */
export class DaemonState {
  readonly link: Signal<LinkState> = signal("connecting");
  readonly connection: Signal<DaemonConnection | undefined> = signal(undefined);
  /** Oldest first. */
  readonly requests: ReadonlySignal<readonly RequestRow[]>;
  /** Newest first. Undefined until the list was read for the first time. */
  readonly sessions: ReadonlySignal<readonly SessionRow[] | undefined>;
  /** A failure that the user has to see; it goes with the next success. */
  readonly failure: Signal<string | undefined> = signal(undefined);
  /** The other machines. */
  readonly fleet: FleetState;
  /** Whether there are sessions that {@link readOlder} reads. */
  readonly hasOlder: ReadonlySignal<boolean>;
  readonly #access: Access;
  readonly #requests: Signal<readonly InboxRequest[]> = signal([]);
  readonly #stored: Signal<readonly AvailableSession[] | undefined> = signal(undefined);
  readonly #opened: Signal<readonly OpenedSession[]> = signal([]);
  readonly #nextPage: Signal<number | undefined> = signal(undefined);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #older: readonly AvailableSession[] = [];

  constructor(access: Access) {
    this.#access = access;
    this.fleet = new FleetState(access, () => void this.#refused());
    this.sessions = computed(() => this.#merged());
    this.requests = computed(() => this.#allRequests());
    this.hasOlder = computed(() => this.#listedUntil() > 0);
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
      void this.fleet.refresh();
      await this.refresh();
    } catch {
      this.#ended();
    }
  }

  /** The connection to a machine. Rejects when there is none, for another machine than that of the daemon after a while. */
  async connectionTo(machineId: string | undefined): Promise<DaemonConnection> {
    if (this.fleet.isOther(machineId)) return this.fleet.link(machineId).ready();
    if (this.connection.value !== undefined) return this.connection.value;
    throw new ConnectionError("CONNECTION_LOST", "The daemon does not answer.");
  }

  /** Reads the lists of a machine now. */
  refreshOf(machineId: string | undefined): Promise<void> {
    return this.fleet.isOther(machineId) ? this.fleet.refresh() : this.refresh();
  }

  /** Looks at the lists again as soon as somebody looks at the page; returns what ends that. */
  watchVisibility(): () => void {
    const look = (): void => {
      void this.refresh();
      if (this.fleet.now.value !== undefined) void this.fleet.refresh();
    };
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
        if (this.#older.length === 0) this.#nextPage.value = stored.nextCursor;
        this.#opened.value = opened;
        if (!isSameList(this.#requests.value, requests)) this.#requests.value = requests;
      } catch {
        // The connection says what is wrong with it.
      }
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.refresh(), REFRESH_MS);
  }

  /** Reads the next page of older sessions, where the list ends first. */
  async readOlder(): Promise<void> {
    const endBefore = this.#nextPage.value;
    const connection = this.connection.value;
    if (endBefore === undefined || endBefore < (this.fleet.nextCursor.value ?? 0)) {
      await this.attempt(() => this.fleet.readOlder());
      return;
    }
    if (connection === undefined) return;
    const page = await this.attempt(() => connection.listAvailableSessions({ limit: PAGE, endBefore }));
    if (page === undefined) return;
    this.#older = [...this.#older, ...page.sessions];
    this.#nextPage.value = page.nextCursor;
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
    this.fleet.close();
    await this.connection.value?.close();
  }

  #ended(): void {
    this.connection.value = undefined;
    if (this.link.value !== "refused") this.link.value = "unreachable";
  }

  #merged(): readonly SessionRow[] | undefined {
    const stored = this.#stored.value;
    if (stored === undefined) return undefined;
    const own = this.#ownRows(stored);
    const fleet = this.fleet.now.value;
    if (fleet === undefined) return own;
    const from = Math.floor(this.#listedUntil());
    const others = [...fleet.sessions, ...this.fleet.older.value];
    return [...own, ...new Map(others.map((row) => [`${row.machineId} ${row.sessionId}`, row])).values()]
      .filter(({ updatedAt }) => updatedAt >= from)
      .sort((one, other) => other.updatedAt - one.updatedAt);
  }

  #ownRows(stored: readonly AvailableSession[]): readonly SessionRow[] {
    const machineId = this.fleet.now.value?.machineId;
    const asked = new Set(this.#requests.value.map(({ sessionId }) => sessionId));
    const opened = new Map(this.#opened.value.map((one) => [one.sessionId, one]));
    return stored.map((one) => {
      const live = opened.get(one.sessionId);
      const activity = asked.has(one.sessionId) ? "waiting-you" : (live?.activity ?? "idle");
      return { ...one, activity, isOpen: live !== undefined, machineId };
    });
  }

  #allRequests(): readonly RequestRow[] {
    const own = this.#requests.value;
    const fleet = this.fleet.now.value;
    if (fleet === undefined) return own;
    const { machineId, requests } = fleet;
    const all: RequestRow[] = [...own.map((request) => ({ ...request, machineId })), ...requests];
    return all.sort((one, other) => one.createdAt - other.createdAt);
  }

  /** The time before which the list of some machine has more sessions: behind it the common list has gaps. 0 when it is whole. */
  #listedUntil(): number {
    return Math.max(this.#nextPage.value ?? 0, this.fleet.nextCursor.value ?? 0);
  }
}

function isSameList(one: readonly InboxRequest[], other: readonly InboxRequest[]): boolean {
  return one.length === other.length && one.every(({ requestId }, index) => requestId === other[index]?.requestId);
}
