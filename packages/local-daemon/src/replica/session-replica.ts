import {
  type ReplicaEntries,
  type ReplicaFollower,
  type ReplicaLag,
  type ReplicaMessages,
  type ReplicaSession,
  type ReplicaSource,
  type ReplicatedRow,
  type SessionId,
  sessionId,
} from "@daemon-sdk/protocol";
import { type Committer, notificationTextOf } from "../journal/index.js";
import { REPLICA_LIMITS } from "../limits/index.js";
import type { SessionRow, Store, StoreWrite } from "../storage/index.js";
import { replicatedRow } from "./replicated-row.js";

/** Facts of the store about the replica: that there is one, and which sessions are to be erased from it. */
const SCOPE = "replica";
const EXISTS = "";
/** Before the id of a session, which may be any text. */
const ERASURE = "session ";

/** Options of {@link SessionReplica}. */
export interface SessionReplicaOptions {
  readonly store: Store;
  readonly committer: Committer;
  readonly now: () => number;
}

/**
 * The daemon's part in a replica of its sessions: {@link ReplicaSource} on its store.
 *
 * Which sessions are to be erased is stored in the transaction that deletes them, because the network may be away then and the daemon may
 * end before it is back.
 */
export class SessionReplica implements ReplicaSource {
  readonly #options: SessionReplicaOptions;
  #follower: ReplicaFollower | undefined;
  #isReplicated = false;

  constructor(options: SessionReplicaOptions) {
    this.#options = options;
  }

  /** Reads whether there is a replica: before the first session can be deleted. */
  async open(): Promise<void> {
    const facts = await this.#options.store.relayFacts(SCOPE);
    this.#isReplicated = facts.some(([name]) => name === EXISTS);
  }

  get isReplicated(): boolean {
    return this.#isReplicated;
  }

  /** How far the replica is behind; undefined while nothing replicates. */
  get lag(): ReplicaLag | undefined {
    return this.#follower?.lag();
  }

  /** What has to be stored with the end of a session on this machine. */
  erasureOf(id: SessionId): readonly StoreWrite[] {
    if (!this.#isReplicated) return [];
    return [{ kind: "relayFact", scope: SCOPE, name: ERASURE + id, body: String(this.#options.now()) }];
  }

  /** Called after each commit. */
  committed(writes: readonly StoreWrite[]): void {
    const follower = this.#follower;
    if (follower === undefined) return;
    for (const write of writes) {
      if (write.kind === "segment") {
        const { sessionId: id, entries } = write.row;
        follower.changed(
          id,
          entries.length,
          entries.reduce((sum, entry) => sum + entry.length, 0),
        );
      } else if (write.kind === "session") follower.changed(write.row.id, 0, 0);
      else if (write.kind === "relayFact" && write.scope === SCOPE && write.body !== undefined) {
        if (write.name.startsWith(ERASURE)) follower.erased(write.name.slice(ERASURE.length));
      }
    }
  }

  async attach(follower: ReplicaFollower): Promise<void> {
    this.#follower = follower;
    if (this.#isReplicated) return;
    // Before it is stored: a session that is deleted meanwhile must be known.
    this.#isReplicated = true;
    await this.#options.committer.commit([{ kind: "relayFact", scope: SCOPE, name: EXISTS, body: "{}" }]);
  }

  detach(follower: ReplicaFollower): void {
    if (this.#follower === follower) this.#follower = undefined;
  }

  async forgetReplica(): Promise<void> {
    const facts = await this.#options.store.relayFacts(SCOPE);
    this.#isReplicated = false;
    await this.#drop(facts.map(([name]) => name));
  }

  async sessions(after?: ReplicatedRow): Promise<readonly ReplicaSession[]> {
    const place = after === undefined ? {} : { after: { at: after.updatedAt, id: sessionId(after.sessionId) } };
    const { sessionsAtOnce: limit } = REPLICA_LIMITS;
    const rows = await this.#options.store.oldestSessions({ archived: false, limit, ...place });
    return Promise.all(rows.map((row) => this.#describe(row)));
  }

  async session(id: string): Promise<ReplicaSession | undefined> {
    const row = await this.#options.store.readSession(sessionId(id));
    return row === undefined ? undefined : this.#describe(row);
  }

  async messages(id: string, afterNo: number): Promise<ReplicaMessages> {
    const { messagesAtOnce: limit, messageBytes: maxBytes } = REPLICA_LIMITS;
    const run = await this.#options.store.readMessageRun(sessionId(id), { after: afterNo, limit, maxBytes });
    return { lines: run.messages.map(({ message }) => JSON.stringify(message)), lastNo: run.lastNo };
  }

  async entries(
    id: string,
    fromSeq: number,
    most: { readonly entries: number; readonly bytes: number },
  ): Promise<ReplicaEntries> {
    const { store } = this.#options;
    const run = await store.readEntries(sessionId(id), fromSeq, most.bytes, most.entries);
    const entries = fitting(run.entries.map(notificationTextOf), most);
    const { firstSeq, epoch } = run;
    if (entries.length === 0) return { firstSeq, entries, epoch, at: 0 };
    const [segment] = await store.journalSegments(sessionId(id), firstSeq + entries.length, 1);
    return { firstSeq, entries, epoch, at: segment?.createdAt ?? 0 };
  }

  async behind(id: string, afterSeq: number): Promise<ReplicaLag> {
    const { countedSegments } = REPLICA_LIMITS;
    const { store } = this.#options;
    const segments = await store.journalSegments(sessionId(id), Number.MAX_SAFE_INTEGER, countedSegments);
    const behind = segments.filter(({ lastSeq }) => lastSeq > afterSeq);
    const { firstSeq, lastSeq } = await store.journalBounds(sessionId(id));
    return {
      entries: Math.max(0, lastSeq - Math.max(afterSeq, firstSeq - 1)),
      bytes: behind.reduce((sum, { bytes }) => sum + bytes, 0),
      since: behind.at(-1)?.createdAt,
    };
  }

  async erasures(): Promise<readonly string[]> {
    const facts = await this.#options.store.relayFacts(SCOPE);
    return facts.flatMap(([name]) => (name.startsWith(ERASURE) ? [name.slice(ERASURE.length)] : []));
  }

  forgetErasures(ids: readonly string[]): Promise<void> {
    return this.#drop(ids.map((id) => ERASURE + id));
  }

  async #describe(row: SessionRow): Promise<ReplicaSession> {
    const { firstSeq, lastSeq, lastPosition } = await this.#options.store.journalBounds(row.id);
    return { row: replicatedRow(row), firstSeq, lastSeq, epoch: lastPosition?.epoch ?? 0 };
  }

  async #drop(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    await this.#options.committer.commit(
      names.map((name) => ({ kind: "relayFact", scope: SCOPE, name, body: undefined })),
    );
  }
}

/** The first entries that are within the bounds with a line break behind each; at least one when there is one. */
function fitting(entries: readonly string[], most: { readonly entries: number; readonly bytes: number }): string[] {
  let bytes = 0;
  const end = entries.slice(0, most.entries).findIndex((entry) => {
    bytes += Buffer.byteLength(entry) + 1;
    return bytes > most.bytes;
  });
  return entries.slice(0, end < 0 ? most.entries : Math.max(1, end));
}
