import {
  type Credit,
  type DaemonError,
  encodeNotification,
  FACTORY_PROTOCOL_VERSION,
  type FollowSessionResult,
  type Position,
  type ResumeSessionResult,
  type SessionId,
} from "@daemon-sdk/protocol";
import type { Principal } from "../access/index.js";
import type { Connection } from "../connection/index.js";
import { type Cursor, type CursorStart, checkPosition, type FrameSink, type JournalReader } from "../journal/index.js";
import {
  type Session,
  type SessionHost,
  type Snapshot,
  type SnapshotOptions,
  stateOf,
  takeSnapshot,
} from "../sessions/index.js";

/** What a client is answered that begins to follow a session. */
export interface Attached<Result> {
  readonly result: Result;
  /** Starts the events that come after it: call it when the answer has been sent. */
  start(): void;
  /** Detaches the client: call it when the answer could not be sent. */
  cancel(): void;
}

/** How a client follows a session. */
export interface AttachOptions extends SnapshotOptions {
  /** How much it may be sent before it grants more; default without bound. */
  readonly credit?: Credit | undefined;
}

/** One authenticated connection, and the sessions it follows. */
export class AttachedClient implements JournalReader {
  isPlain: boolean;
  /** For whom it speaks: decides which sessions it reaches. */
  readonly principal: Principal;
  readonly #connection: Connection;
  readonly #followed = new Map<SessionId, Session>();

  /** @param isPlain whether it has shown no use of an extension */
  constructor(connection: Connection, isPlain: boolean, principal: Principal) {
    this.#connection = connection;
    this.principal = principal;
    this.isPlain = isPlain;
  }

  get id(): string {
    return this.#connection.id;
  }

  get sink(): Connection["outbox"] & FrameSink {
    return this.#connection.outbox;
  }

  fail(error: DaemonError, code: number): void {
    this.#connection.fail(error, code);
  }

  /** Ends the connection politely, after what was sent. */
  close(): void {
    this.#connection.close();
  }

  /** Follows a session from its first entry on, as the one who made it does. */
  attachNew(session: Session, { credit }: AttachOptions = {}): Cursor {
    return this.#follow(session, { fromSeq: 1, credit });
  }

  /** Takes a snapshot and follows from there: the snapshot and what comes after it are the whole. */
  attach(host: SessionHost, session: Session, options: AttachOptions = {}): Promise<Attached<Snapshot>> {
    const { store, inbox } = host.services;
    return this.#between(host, session, async (open) => {
      const result = await takeSnapshot(open, store, inbox, options);
      const cursor = this.#follow(open, { fromSeq: result.position.seq + 1, credit: options.credit });
      return this.#attached(result, cursor, open);
    });
  }

  /** Follows from the entry after a position it knows. Rejects with `RESUME_TOO_OLD`. */
  resume(
    host: SessionHost,
    session: Session,
    after: Position,
    credit: Credit | undefined,
  ): Promise<Attached<ResumeSessionResult>> {
    const { store, inbox } = host.services;
    return this.#between(host, session, async (open) => {
      const { epoch, committedSeq } = open.log;
      await checkPosition(store, open.id, after, committedSeq);
      const result = { position: { epoch, seq: committedSeq }, ...stateOf(open, inbox) };
      return this.#attached(result, this.#follow(open, { fromSeq: after.seq + 1, credit }), open);
    });
  }

  /** Moves to the end of the journal; unseen requests and ends of turns are still sent, as early copies. */
  follow(host: SessionHost, session: Session, credit: Credit): Promise<Attached<FollowSessionResult>> {
    const { inbox } = host.services;
    return this.#between(host, session, async (open) => {
      const { epoch, committedSeq } = open.log;
      const scannedSeq = open.attached.cursorOf(this)?.scannedSeq;
      const oldest = inbox.pendingOf(open.id).at(0)?.seq ?? committedSeq + 1;
      const earlyFromSeq = Math.min(scannedSeq === undefined ? oldest : scannedSeq + 1, committedSeq + 1);
      const cursor = this.#follow(open, { fromSeq: committedSeq + 1, credit, earlyFromSeq });
      const { workingState, isAgentLoopInProgress } = stateOf(open, inbox);
      const result = { position: { epoch, seq: committedSeq }, workingState, isAgentLoopInProgress };
      return this.#attached(result, cursor, open);
    });
  }

  /** Lets a session send more. False when this client does not follow it. */
  grant(id: SessionId, credit: Credit): boolean {
    const cursor = this.#followed.get(id)?.attached.cursorOf(this);
    cursor?.grant(credit);
    return cursor !== undefined;
  }

  /** Ends its cursor in one session. */
  detach(session: Session): void {
    session.attached.detach(this);
    if (this.#followed.get(session.id) === session) this.#followed.delete(session.id);
  }

  /** Ends all its cursors; the sessions go on. */
  detachAll(): void {
    for (const session of [...this.#followed.values()]) this.detach(session);
  }

  /** The session as it is between two transactions; opened anew when it was let go of meanwhile. */
  async #between<Result>(
    host: SessionHost,
    session: Session,
    work: (open: Session) => Promise<Result>,
  ): Promise<Result> {
    for (let open = session; ; open = await host.load(session.id)) {
      const done = await host.services.committer.between(async () =>
        open.log.isRetired ? undefined : { result: await work(open) },
      );
      if (done !== undefined) return done.result;
    }
  }

  #attached<Result>(result: Result, cursor: Cursor, session: Session): Attached<Result> {
    return { result, start: () => cursor.start(), cancel: () => this.detach(session) };
  }

  #follow(session: Session, start: CursorStart): Cursor {
    this.#followed.set(session.id, session);
    // A client that bounds a session by credit does not read it on purpose: that must not cost the others on the connection.
    const onPositionGone =
      start.credit === undefined ? undefined : (message: string) => this.#unsubscribe(session, message);
    return session.attached.attach(this, { ...start, onPositionGone });
  }

  /** Detaches the client and notifies it: it has to attach anew (docs/protocol.md §9). */
  #unsubscribe(session: Session, message: string): void {
    this.detach(session);
    const notification = { type: "session_unsubscribed", message, code: "RESUME_TOO_OLD" };
    const params = { sessionId: session.id, notification };
    this.sink.send(encodeNotification("daemon.session_notification", params, FACTORY_PROTOCOL_VERSION));
  }
}
