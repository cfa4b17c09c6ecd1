import { type InitializeSessionParams, ProtocolError, RpcCode, type SessionId, sessionId } from "@daemon-sdk/protocol";
import type { CopiedMessages, Initialized, Session, SessionHost } from "../sessions/index.js";
import type { SessionRow } from "../storage/index.js";
import type { AttachedClient } from "./attached-client.js";

/** A UUID of which most is random: versions 4 and 7. Others are made of names, times and addresses. */
const RANDOM_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** Whether this client may know of that session (docs/protocol.md §3, "Whose sessions"). No other code decides it. */
export function reaches({ principal }: Pick<AttachedClient, "principal">, row: Pick<SessionRow, "owner">): boolean {
  return principal.keyId === undefined || principal.keyId === row.owner;
}

/**
 * The sessions that one client reaches: every handler finds its session here, so that a session of another principal is
 * answered like one that does not exist.
 */
export class ReachableSessions {
  readonly #host: SessionHost;
  readonly #client: AttachedClient;

  constructor(host: SessionHost, client: AttachedClient) {
    this.#host = host;
    this.#client = client;
  }

  /** Sessions that are open. */
  get open(): Session[] {
    return this.#host.open.filter(({ row }) => reaches(this.#client, row));
  }

  /** As {@link SessionHost.load}. */
  async load(id: string): Promise<Session> {
    // Before the session is opened: one of another principal must not cost the time that opening takes.
    await this.rowOf(id);
    return this.#host.load(id);
  }

  /** As {@link SessionHost.reopen}. */
  async reopen(id: string): Promise<Session> {
    await this.rowOf(id);
    return this.#host.reopen(id);
  }

  /** The stored row, without opening the session. Rejects with `SessionNotFoundError`. */
  async rowOf(id: string): Promise<SessionRow> {
    const { keyId } = this.#client.principal;
    if (keyId === undefined) return this.#host.rowOf(id);
    // Read from the store, open or not: a session of another principal must take as long as one that does not exist.
    const stored = await this.#host.services.store.readSession(sessionId(id));
    if (stored === undefined || !reaches(this.#client, stored))
      throw await this.#host.absence(id, (row) => reaches(this.#client, row));
    return this.#host.rowOf(id);
  }

  /**
   * As {@link SessionHost.initialize}; the new session belongs to this client's principal. A key's client chooses random
   * UUIDs only: with an id that can be guessed it could find out which sessions others have. Rejects other ids, and that of
   * another principal's session, with the same -32602.
   */
  async initialize(params: InitializeSessionParams): Promise<Initialized> {
    const { principal } = this.#client;
    const { sessionId: chosen } = params;
    if (chosen !== undefined && principal.keyId !== undefined) await this.#checkChosen(chosen);
    const made = await this.#host.initialize(params, principal);
    // Another client may have made it meanwhile.
    if (!reaches(this.#client, made.session.row)) throw unusableId();
    return made.isNew ? made : { ...made, session: await this.#host.reopen(made.session.id) };
  }

  async #checkChosen(id: string): Promise<void> {
    if (!RANDOM_UUID.test(id)) throw unusableId();
    const taken = await this.#host.services.store.readSession(sessionId(id));
    if (taken !== undefined && !reaches(this.#client, taken)) throw unusableId();
  }

  /** As {@link SessionHost.adopt}; the new session belongs to this client's credential. */
  adopt(row: SessionRow, source: SessionId, messages?: CopiedMessages): Promise<void> {
    return this.#host.adopt({ ...row, owner: this.#client.principal.keyId }, source, messages);
  }

  /** The session when it is open; undefined when it is only stored. Rejects with `SessionNotFoundError`. */
  async find(id: string): Promise<Session | undefined> {
    await this.rowOf(id);
    return this.#host.find(id);
  }

  /** Changes the row of an open or a stored session. */
  async patch(id: string, patch: Partial<Omit<SessionRow, "id">>): Promise<void> {
    await this.rowOf(id);
    return this.#host.patch(id, patch);
  }
}

/** Without the id: the text is the same for every one. */
function unusableId(): ProtocolError {
  const text =
    "sessionId must be a new UUID of version 4 or 7, or that of a session of yours. Leave it out to be given one.";
  return new ProtocolError("INVALID_PARAMS", text, { rpcCode: RpcCode.invalidParams });
}
