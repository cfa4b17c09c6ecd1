import type { DaemonError } from "@daemon-sdk/protocol";
import type { Connection } from "../connection/connection.js";
import type { Cursor } from "./cursor.js";
import type { Session } from "./session.js";
import type { SessionClient } from "./session-client.js";
import type { SessionHost } from "./session-host.js";
import { type Snapshot, type SnapshotOptions, takeSnapshot } from "./snapshot.js";

/** What a session looked like when a client began to follow it. */
export interface Attached {
  readonly snapshot: Snapshot;
  /** Starts the events that come after the snapshot: call it when the answer that holds it has been sent. */
  start(): void;
}

/** One authenticated connection, and the sessions it follows. */
export class AttachedClient implements SessionClient {
  isPlain: boolean;
  readonly #connection: Connection;
  readonly #followed = new Set<Session>();

  /** @param isPlain whether it has shown no use of an extension */
  constructor(connection: Connection, isPlain: boolean) {
    this.#connection = connection;
    this.isPlain = isPlain;
  }

  get id(): string {
    return this.#connection.id;
  }

  get isFull(): boolean {
    return this.#connection.isFull;
  }

  send(frame: string): boolean {
    return this.#connection.send(frame);
  }

  onceWritable(callback: () => void): void {
    this.#connection.onceWritable(callback);
  }

  fail(error: DaemonError, code: number): void {
    this.#connection.fail(error, code);
  }

  /** Ends the connection politely, after what was sent. */
  close(): void {
    this.#connection.close();
  }

  /** Follows a session from its first entry on, as the one who made it does. */
  attachNew(session: Session): Cursor {
    return this.#follow(session, 1);
  }

  /** Takes a snapshot and follows from there: the snapshot and what comes after it are the whole. */
  attach(host: SessionHost, session: Session, options?: SnapshotOptions): Promise<Attached> {
    const { committer, store, epoch, inbox } = host.services;
    return committer.between(async () => {
      const snapshot = await takeSnapshot(session, store, epoch, inbox, options);
      const cursor = this.#follow(session, snapshot.position.seq + 1);
      return { snapshot, start: () => cursor.start() };
    });
  }

  /** Follows it no more. */
  detach(session: Session): void {
    session.subscribers.detach(this);
    this.#followed.delete(session);
  }

  /** Follows nothing more; the sessions go on. */
  detachAll(): void {
    for (const session of [...this.#followed]) this.detach(session);
  }

  #follow(session: Session, fromSeq: number): Cursor {
    this.#followed.add(session);
    return session.subscribers.attach(this, fromSeq);
  }
}
