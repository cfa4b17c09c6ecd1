import { type ConsoleFleet, type ConsoleMachine, type ConsoleSession, DaemonError } from "@daemon-sdk/protocol";
import { type Signal, signal } from "@preact/signals";
import { type Access, type PlacedSession, placeSession, readFleet, searchFleet } from "../link/index.js";
import { MachineLink } from "./machine-link.js";

/** Between two looks at the fleet, while the page is visible: for few machines, and for each of many. */
const REFRESH_MS = 2_000;
const REFRESH_MS_PER_MACHINE = 50;
/** Links to other machines that stay open: each is one socket of the browser. */
const LINKS = 8;

/** The other machines of the daemon's fleet as this page knows them. */
export class FleetState {
  /** Undefined until the fleet was read for the first time, and where the daemon is in none or shows none to this tab. */
  readonly now: Signal<ConsoleFleet | undefined> = signal(undefined);
  /** Why the lists are not those of now. */
  readonly failure: Signal<string | undefined> = signal(undefined);
  /** Sessions of pages behind the first one. */
  readonly older: Signal<readonly ConsoleSession[]> = signal([]);
  /** Time before which there are more sessions. */
  readonly nextCursor: Signal<number | undefined> = signal(undefined);
  readonly #access: Access;
  readonly #onRefused: () => void;
  /** The one that was used last is last. */
  readonly #links = new Map<string, MachineLink>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reading: Promise<void> | undefined;

  constructor(access: Access, onRefused: () => void) {
    this.#access = access;
    this.#onRefused = onRefused;
  }

  /** Whether a machine is another one than that of the page's daemon. */
  isOther(machineId: string | undefined): machineId is string {
    return machineId !== undefined && machineId !== this.now.value?.machineId;
  }

  machine(machineId: string): ConsoleMachine | undefined {
    return this.now.value?.machines.find((one) => one.machineId === machineId);
  }

  /** The link to another machine; begins to make it when there is none. The one that was not used for longest is closed for it. */
  link(machineId: string): MachineLink {
    const link = this.#links.get(machineId) ?? new MachineLink(machineId, this.#access, this.#onRefused);
    this.#links.delete(machineId);
    this.#links.set(machineId, link);
    const [oldest] = this.#links.values();
    if (this.#links.size > LINKS && oldest !== undefined) {
      this.#links.delete(oldest.machineId);
      oldest.close();
    }
    return link;
  }

  /** Reads the lists, not before now, and keeps them fresh from then on. */
  async refresh(): Promise<void> {
    await this.#reading;
    clearTimeout(this.#timer);
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
  }

  /** Reads the next page of older sessions. Rejects when it cannot be read. */
  async readOlder(): Promise<void> {
    const endBefore = this.nextCursor.value;
    if (endBefore === undefined) return;
    const page = await readFleet(this.#access, endBefore);
    this.older.value = [...this.older.value, ...(page?.sessions ?? [])];
    this.nextCursor.value = page?.nextCursor;
  }

  /** Where the words stand, by session of another machine. */
  async search(query: string): Promise<readonly { readonly sessionId: string; readonly snippet: string }[]> {
    return this.now.value === undefined ? [] : searchFleet(this.#access, query);
  }

  /** Makes a session on a machine that meets the needs. Rejects with NO_MACHINE when none does. */
  place(session: PlacedSession): Promise<{ readonly sessionId: string; readonly machineId: string }> {
    return placeSession(this.#access, session);
  }

  /** Ends the links, and reads nothing more. */
  close(): void {
    clearTimeout(this.#timer);
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }

  async #read(): Promise<void> {
    if (document.visibilityState === "visible") {
      try {
        const read = await readFleet(this.#access);
        this.now.value = read && this.#withLastSeen(read);
        this.failure.value = undefined;
        if (this.older.value.length === 0) this.nextCursor.value = read?.nextCursor;
        // A daemon joins a fleet at its start only.
        if (read === undefined) return;
      } catch (error) {
        if (DaemonError.is(error, "AUTH_REJECTED")) return this.#onRefused();
        this.failure.value = error instanceof Error ? error.message : String(error);
      }
    }
    const pause = Math.max(REFRESH_MS, (this.now.value?.machines.length ?? 0) * REFRESH_MS_PER_MACHINE);
    this.#timer = setTimeout(() => void this.refresh(), pause);
  }

  /** Sessions of machines that do not answer stay in the list as they were: somebody may be looking at one of them. */
  #withLastSeen(read: ConsoleFleet): ConsoleFleet {
    const silent = new Set(read.missing.map(({ machineId }) => machineId));
    const kept = (this.now.value?.sessions ?? []).filter(({ machineId }) => silent.has(machineId));
    const seen = kept.map((row) => ({ ...row, activity: "unknown", isOpen: false }));
    return { ...read, sessions: [...read.sessions, ...seen] };
  }
}
