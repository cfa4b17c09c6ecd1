import { ConnectionError } from "@daemon-sdk/protocol";
import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from "@nats-io/jetstream";
import { headers, type NatsConnection, nanos } from "@nats-io/nats-core";
import { FLEET_LIMITS } from "../limits/index.js";
import { type ReplicaPart, type Subjects, sessionToken } from "../names/index.js";
import { isWrongRevision, jetStreamOptions, makeStream, registryFailure, type StreamPlace } from "../registry/index.js";
import { baseHeadOf, HEAD, logHeadOf, type ReplicaMessage, readReplica, rowHeadOf } from "../replica-wire/index.js";
import type { SessionPlace } from "./replica-place.js";

/** Where a machine's replica is. */
export interface ReplicaStreamOptions {
  readonly nats: NatsConnection;
  readonly subjects: Subjects;
  readonly machineId: string;
  readonly streams: StreamPlace;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

/** The stream has another last message than the one that was to be continued. */
export class ReplicaConflict {
  readonly session: string;

  constructor(session: string) {
    this.session = session;
  }
}

/** How full a stream is, and what it has. */
export interface StreamFigures {
  readonly isFull: boolean;
  /** When its oldest message was published, in Unix milliseconds; undefined when it is empty. */
  readonly oldestAt: number | undefined;
  readonly lastNo: number;
}

/** The stream with the replica of a machine, which only that machine writes. */
export class ReplicaStream {
  readonly #options: ReplicaStreamOptions;
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #name: string;
  /** Each of them ends a message that waits for its acknowledgement. */
  readonly #waiting = new Set<() => void>();
  #lastNo = 0;

  private constructor(options: ReplicaStreamOptions, manager: JetStreamManager) {
    this.#options = options;
    this.#manager = manager;
    this.#client = jetstream(options.nats, jetStreamOptions(options.streams));
    this.#name = options.subjects.replicaStream(options.machineId);
  }

  /** Opens the stream, makes it when it is missing, and gives it the bounds. Rejects with CONNECTION_FAILED or AUTH_REJECTED. */
  static async open(options: ReplicaStreamOptions): Promise<ReplicaStream> {
    const { nats, subjects, machineId, streams, maxBytes, maxAgeMs } = options;
    const name = subjects.replicaStream(machineId);
    const bounds = { max_bytes: maxBytes, max_age: nanos(maxAgeMs) };
    try {
      const manager = await jetstreamManager(nats, jetStreamOptions(streams));
      await makeStream(manager.streams, {
        ...{ name, subjects: [subjects.replica(machineId)], num_replicas: streams.replicas, ...bounds },
        // What is oldest makes room: a full replica must not stop.
        ...{ discard: DiscardPolicy.Old, allow_rollup_hdrs: false },
      });
      const { config } = await manager.streams.info(name);
      if (config.max_bytes !== bounds.max_bytes || config.max_age !== bounds.max_age)
        await manager.streams.update(name, { ...config, ...bounds });
      return new ReplicaStream(options, manager);
    } catch (cause) {
      throw registryFailure("opened for the replica", cause);
    }
  }

  /** Removes everything of a machine's replica. What is not there is no failure. Rejects as {@link open}. */
  static async empty(
    options: Pick<ReplicaStreamOptions, "nats" | "subjects" | "machineId" | "streams">,
  ): Promise<void> {
    try {
      const manager = await jetstreamManager(options.nats, jetStreamOptions(options.streams));
      await manager.streams.purge(options.subjects.replicaStream(options.machineId));
    } catch (cause) {
      if (cause instanceof JetStreamApiError && cause.code === JetStreamApiCodes.StreamNotFound) return;
      throw registryFailure("emptied of the replica", cause);
    }
  }

  /** Number of the last message that the stream has acknowledged to this program. */
  get lastNo(): number {
    return this.#lastNo;
  }

  /** Most bytes of the body of one message. */
  get bodyBytes(): number {
    const payload = this.#options.nats.info?.max_payload ?? FLEET_LIMITS.replicaBytes;
    return Math.min(FLEET_LIMITS.replicaBytes, payload - FLEET_LIMITS.replicaHeadBytes);
  }

  /**
   * Resolves to the message's number when the stream keeps it. Rejects with a {@link ReplicaConflict} when the last message of the subject
   * is not `after`: another one was published, or that one is gone.
   *
   * @param after number of the message that this one follows; undefined: whichever
   */
  async publish(
    session: string,
    part: ReplicaPart,
    { head, body, after }: { readonly head: object; readonly body: Uint8Array; readonly after?: number },
  ): Promise<number> {
    const { subjects, machineId } = this.#options;
    const named = headers();
    named.set(HEAD, JSON.stringify(head));
    try {
      const published = this.#client.publish(subjects.replica(machineId, session, part), body, {
        ...{ headers: named, timeout: FLEET_LIMITS.replicaTimeoutMs, retries: 0 },
        ...(after === undefined ? {} : { expect: { lastSubjectSequence: after } }),
      });
      const { seq } = await this.#unlessCut(published);
      this.#lastNo = Math.max(this.#lastNo, seq);
      return seq;
    } catch (error) {
      if (isWrongRevision(error)) throw new ReplicaConflict(session);
      throw error;
    }
  }

  /** NATS is away: messages that wait for their acknowledgement do not get it, and are not waited for. */
  cut(): void {
    for (const end of this.#waiting) end();
  }

  async #unlessCut<Result>(published: Promise<Result>): Promise<Result> {
    let end = () => {};
    const cut = new Promise<never>((_, reject) => {
      end = () => reject(new ConnectionError("CONNECTION_LOST", "NATS is away."));
    });
    this.#waiting.add(end);
    try {
      return await Promise.race([published, cut]);
    } finally {
      this.#waiting.delete(end);
      published.catch(() => {});
    }
  }

  /** Removes a session, or what was published of it before a message. */
  async erase(sessionId: string, beforeNo?: number): Promise<void> {
    const { subjects, machineId } = this.#options;
    const filter = subjects.replica(machineId, sessionToken(sessionId));
    await this.#manager.streams.purge(this.#name, beforeNo === undefined ? { filter } : { filter, seq: beforeNo });
  }

  async figures(): Promise<StreamFigures> {
    const { state, config } = await this.#manager.streams.info(this.#name);
    return {
      isFull: state.bytes >= config.max_bytes * FLEET_LIMITS.replicaFullShare,
      oldestAt: state.messages === 0 ? undefined : Date.parse(state.first_ts),
      lastNo: state.last_seq,
    };
  }

  /** Where the replica stands, by the token of each session; of one session or of all. A session of which it has no whole beginning is not there. */
  async places(session?: string): Promise<Map<string, SessionPlace>> {
    const { nats, subjects, machineId } = this.#options;
    const last = new Map<string, Map<string, ReplicaMessage>>();
    const messages = readReplica({
      ...{ nats, manager: this.#manager, stream: this.#name, isLastOnly: true, isHeadOnly: true },
      filter: subjects.replica(machineId, session),
      inbox: `${subjects.machineInbox(machineId)}.replica`,
    });
    for await (const message of messages) {
      const parts = last.get(message.session) ?? new Map<string, ReplicaMessage>();
      last.set(message.session, parts.set(message.part, message));
    }
    const places = new Map<string, SessionPlace>();
    for (const [token, parts] of last) {
      const place = placeOf(parts);
      if (place !== undefined) places.set(token, place);
    }
    return places;
  }
}

/** What a session's last messages state; undefined without a beginning that can be continued. */
function placeOf(parts: ReadonlyMap<string, ReplicaMessage>): SessionPlace | undefined {
  const row = rowHeadOf(parts.get("row")?.head ?? "");
  const base = baseHeadOf(parts.get("base")?.head ?? "");
  const logMessage = parts.get("log");
  const log = logHeadOf(logMessage?.head ?? "");
  const known = { logNo: logMessage?.no ?? 0, rowDigest: row?.digest ?? "", isCompared: false };
  if (base?.isLast === true && log?.generation !== base.generation) {
    return { ...known, generation: base.generation, begunAt: base.at, seq: base.from, digest: "" };
  }
  // The base may have made room for later messages.
  if (log === undefined || (base !== undefined && base.generation !== log.generation)) return undefined;
  const { generation, begunAt } = log;
  const isCut = log.piece !== undefined && log.piece[0] + 1 < log.piece[1];
  if (isCut) return { ...known, generation, begunAt, seq: log.after, digest: "" };
  return { ...known, generation, begunAt, seq: log.last, digest: log.digest };
}
