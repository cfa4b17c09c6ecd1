import {
  ConnectionError,
  type ReplicatedRow,
  type SessionEntry,
  type SessionMessage,
  SessionNotFoundError,
} from "@daemon-sdk/protocol";
import { JetStreamApiCodes, JetStreamApiError, type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { type Subjects, sessionToken } from "../names/index.js";
import { isRefusal } from "../nats-base/index.js";
import { jetStreamOptions, registryFailure, type StreamPlace } from "../registry/index.js";
import {
  baseHeadOf,
  logHeadOf,
  type ReplicaEnd,
  type ReplicaMessage,
  readReplica,
  SessionBook,
} from "../replica-wire/index.js";

/** One session of a replica. */
export interface ReplicaSessionItem extends ReplicatedRow {
  /** Up to where the replica goes; what came later on the machine is missing. Undefined: not known, because it has no entry. */
  readonly upTo: ReplicaEnd | undefined;
}

/** What a replica has of a session. */
export interface ReplicaSessionContent {
  readonly row: ReplicatedRow;
  /** The conversation, oldest message first. Times of results of tools may differ by the time that their commit took. */
  readonly messages: readonly SessionMessage[];
  /** Entries of the journal, in order, without a gap; empty unless they were asked for. */
  readonly entries: readonly SessionEntry[];
  readonly upTo: ReplicaEnd | undefined;
  /** False when the bounds of the replica have removed how the session began: messages are missing before the first one. */
  readonly isWhole: boolean;
}

/** The replica of one machine's sessions, to be read while the machine is lost, or at any other time. Nothing can be changed by it. */
export interface FleetReplica {
  readonly machineId: string;
  /**
   * The sessions that the replica has, the one that was updated last first. Rejects with NO_REPLICA when the machine has no replica, with
   * NOT_ALLOWED when the credentials may not read it, with CONNECTION_FAILED when the servers do not answer.
   */
  listSessions(): Promise<readonly ReplicaSessionItem[]>;
  /**
   * A session, up to where the replica goes. Rejects as {@link listSessions}, and with a `SessionNotFoundError`.
   *
   * @param options.entries whether the entries of the journal are wanted, too. Default: false
   */
  readSession(sessionId: string, options?: { readonly entries?: boolean }): Promise<ReplicaSessionContent>;
}

/** Options of {@link ReplicaReader}. */
export interface ReplicaReaderOptions {
  readonly nats: NatsConnection;
  readonly subjects: Subjects;
  readonly streams: StreamPlace;
  readonly machineId: string;
  /** Where the service gets answers. */
  readonly inbox: string;
}

/** Reads the replica of one machine. */
export class ReplicaReader implements FleetReplica {
  readonly #options: ReplicaReaderOptions;

  constructor(options: ReplicaReaderOptions) {
    this.#options = options;
  }

  get machineId(): string {
    return this.#options.machineId;
  }

  async listSessions(): Promise<readonly ReplicaSessionItem[]> {
    const rows = new Map<string, ReplicatedRow>();
    const ends = new Map<string, ReplicaEnd>();
    await this.#read({ part: "row", isLastOnly: true }, ({ session, body }) => {
      const { row } = bookOf([{ part: "row", head: "", body }]);
      if (row !== undefined) rows.set(session, row);
    });
    const note = ({ session, part, head }: ReplicaMessage) => {
      const end = endOf(part, head);
      if (end !== undefined && end.position.seq >= (ends.get(session)?.position.seq ?? 0)) ends.set(session, end);
    };
    await this.#read({ part: "base", isLastOnly: true, isHeadOnly: true }, note);
    await this.#read({ part: "log", isLastOnly: true, isHeadOnly: true }, note);
    const items = [...rows].map(([session, row]) => ({ ...row, upTo: ends.get(session) }));
    return items.sort((one, other) => other.updatedAt - one.updatedAt);
  }

  async readSession(
    sessionId: string,
    { entries = false }: { readonly entries?: boolean } = {},
  ): Promise<ReplicaSessionContent> {
    const book = new SessionBook(entries);
    await this.#read({ session: sessionToken(sessionId) }, (message) => book.add(message));
    const { row, ...content } = book.read();
    if (row === undefined) throw new SessionNotFoundError(sessionId);
    return { row, ...content };
  }

  async #read(
    wanted: {
      readonly session?: string;
      readonly part?: "row" | "base" | "log";
      readonly isLastOnly?: boolean;
      readonly isHeadOnly?: boolean;
    },
    onMessage: (message: ReplicaMessage) => void,
  ): Promise<void> {
    const { nats, subjects, machineId, inbox } = this.#options;
    const { session, part, ...how } = wanted;
    try {
      const messages = readReplica({
        ...{ nats, manager: await this.#manager(), stream: subjects.replicaStream(machineId), inbox },
        ...{ filter: subjects.replica(machineId, session, part), ...how },
      });
      for await (const message of messages) onMessage(message);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  #manager(): Promise<JetStreamManager> {
    return jetstreamManager(this.#options.nats, jetStreamOptions(this.#options.streams));
  }

  #failure(cause: unknown): Error {
    const { machineId } = this.#options;
    if (cause instanceof JetStreamApiError && cause.code === JetStreamApiCodes.StreamNotFound) {
      return new ConnectionError("NO_REPLICA", `Machine ${machineId} has no replica.`, { cause });
    }
    if (isRefusal(cause)) {
      const text = `These credentials may not read replicas. Make some that may: fleet enrol --service <name> --replicas.`;
      return new ConnectionError("NOT_ALLOWED", text, { cause });
    }
    return registryFailure("read", cause);
  }
}

function bookOf(messages: readonly Pick<ReplicaMessage, "part" | "head" | "body">[]) {
  const book = new SessionBook(false);
  for (const message of messages) book.add(message);
  return book.read();
}

/** Up to where a message goes, by its head. */
function endOf(part: string, text: string): ReplicaEnd | undefined {
  if (part === "base") {
    const head = baseHeadOf(text);
    return head?.isLast === true ? { position: { epoch: head.epoch, seq: head.through }, at: head.at } : undefined;
  }
  const head = logHeadOf(text);
  if (head === undefined) return undefined;
  const isCut = head.piece !== undefined && head.piece[0] + 1 < head.piece[1];
  return { position: { epoch: head.epoch, seq: isCut ? head.after : head.last }, at: head.at };
}
