import type { DaemonConnection } from "@daemon-sdk/client";
import { DaemonError, type MoveOrder, SessionError, SessionNotFoundError, type Transport } from "@daemon-sdk/protocol";
import { FLEET_LIMITS } from "../limits/index.js";
import { randomToken } from "../names/index.js";
import type { SessionDirectory, SessionPlace } from "../registry/index.js";
import type { MoveSessionOptions } from "./move-options.js";
import { MoveLink } from "./move-wire.js";

/** What a mover works with. */
export interface SessionMoverParts {
  readonly sessions: SessionDirectory;
  /** Opens a link for moves. Rejects with MACHINE_GONE for a machine that is not online. */
  dial(machineId: string): Promise<Transport>;
  connection(machineId: string): Promise<DaemonConnection>;
  /** The machine that says it has a session. */
  find(sessionId: string): Promise<string | undefined>;
}

/** A place with a move that goes on. */
type MovingPlace = SessionPlace & { readonly move: NonNullable<SessionPlace["move"]> };

/** Both ends of a move, while their links are open. */
interface Ends {
  readonly source: MoveLink;
  readonly target: MoveLink;
}

/**
 * Moves sessions between machines, by the table of `move-steps.ts`. What decides is the directory's entry and the two daemons; this
 * program keeps nothing, so that another one may go on with its moves.
 */
export class SessionMover {
  readonly #parts: SessionMoverParts;

  constructor(parts: SessionMoverParts) {
    this.#parts = parts;
  }

  /** As `Fleet.moveSession`. */
  async move(sessionId: string, to: string, options: MoveSessionOptions): Promise<void> {
    for (let turn = 0; turn < FLEET_LIMITS.moveRounds; turn += 1) {
      const place = await this.#placeOf(sessionId);
      if (place.move?.isCommitted === true) await this.#finish(place as MovingPlace, options);
      else if (place.move !== undefined && place.move.to !== to) await this.#giveUp(place as MovingPlace);
      else if (place.move !== undefined) return this.#carry(place as MovingPlace, options);
      else if (place.machineId === to) {
        if (await this.#isServed(place)) return;
      } else await this.#begin(place, to, options);
    }
    const text = `Other programs move session ${sessionId}, too. Repeat the call when they are done.`;
    throw new SessionError("SESSION_MOVING", text, { sessionId });
  }

  /**
   * A session's entry with the machine that has the session, for whoever looks for it; undefined without one. A move that is decided is ended before, as
   * far as this service may. Rejects when the machine that is to have the session is not online: what the other one has may be old.
   */
  async settle(sessionId: string): Promise<SessionPlace | undefined> {
    const place = await this.#parts.sessions.placeOf(sessionId);
    if (place?.move?.isCommitted !== true) return place;
    const { to } = place.move;
    const there = { ...place, machineId: to };
    try {
      await using target = await this.#open(to);
      await target.link.arrive(orderOf(place as MovingPlace));
    } catch (error) {
      // Such as a service that acts for a key, or an entry that states what is not so: whoever has the session is asked for it.
      if (!DaemonError.is(error) || error.retryable) throw error;
      return there;
    }
    // The source may be away; its frozen copy is given up by the next one that asks.
    await this.#finish(place as MovingPlace, {}).catch(() => {});
    return there;
  }

  /** The directory's entry, made for a session that no service made. Rejects with `SessionNotFoundError`. */
  async #placeOf(sessionId: string): Promise<SessionPlace> {
    const { sessions, find } = this.#parts;
    const known = await sessions.placeOf(sessionId);
    if (known !== undefined) return known;
    const found = await find(sessionId);
    if (found === undefined) throw new SessionNotFoundError(sessionId);
    await sessions.claim(sessionId, found);
    const made = await sessions.placeOf(sessionId);
    if (made === undefined) throw new SessionNotFoundError(sessionId);
    return made;
  }

  /** Whether the machine of an entry without a move serves the session; corrects the entry, or ends what is left of a move, when it does not. */
  async #isServed(place: SessionPlace): Promise<boolean> {
    const { sessionId, machineId } = place;
    const { sessions, find } = this.#parts;
    await using end = await this.#open(machineId);
    const found = await end.link.state(sessionId);
    if (found.state === "served") return true;
    // A move that was given up while the machine was away.
    if (found.state === "leaving") await end.link.stay({ sessionId, moveId: found.moveId });
    else {
      const other = found.state === "moved" ? found.to : await find(sessionId);
      if (other === undefined) throw new SessionNotFoundError(sessionId);
      await sessions.swap(place, { machineId: other });
    }
    return false;
  }

  async #begin(place: SessionPlace, to: string, { onStep }: MoveSessionOptions): Promise<void> {
    if (!(await this.#isServed(place))) return;
    await onStep?.("begin");
    await this.#parts.sessions.swap(place, {
      machineId: place.machineId,
      move: { id: randomToken(), from: place.machineId, to, isCommitted: false },
    });
  }

  async #carry(place: MovingPlace, options: MoveSessionOptions): Promise<void> {
    const order = orderOf(place);
    let committed: MovingPlace | undefined;
    try {
      await using source = await this.#open(place.move.from);
      await using target = await this.#open(place.move.to);
      const ends = { source: source.link, target: target.link };
      const found = await ends.target.state(place.sessionId);
      // The registry has lost its last write: the session is there already.
      const isThere = found.state === "served" && found.arrivedBy === order.moveId;
      if (!isThere) await this.#copy(place, ends, options);
      await options.onStep?.("commit");
      committed = { ...place, machineId: place.move.to, move: { ...place.move, isCommitted: true } };
    } catch (error) {
      await this.#giveUp(place).catch(() => {});
      throw error;
    }
    if (!(await this.#parts.sessions.swap(place, committed))) return this.move(place.sessionId, place.move.to, options);
    const now = await this.#parts.sessions.placeOf(place.sessionId);
    if (now?.move?.id === order.moveId) await this.#finish(now as MovingPlace, options);
  }

  /** Everything before the decision: freezes the session, copies it behind what is there, and prepares the target. */
  async #copy(place: MovingPlace, { source, target }: Ends, options: MoveSessionOptions): Promise<void> {
    const { sessionId, move } = place;
    const { onStep, drainMs, files } = options;
    const order = orderOf(place);
    const { isCommitted: isDecided } = move;
    await onStep?.("leave");
    const leaving = await source.leave({ ...order, to: move.to, ...(drainMs === undefined ? {} : { drainMs }) });
    const { agent, owner, bytes } = leaving;
    let arrived = await target.stage({ ...order, agent, owner, bytes, isDecided });
    while (!arrived.isWhole) {
      const { cursor } = arrived;
      await onStep?.("copy");
      const piece = await source.read(order, cursor);
      arrived = await target.store({ ...order, ...(cursor === undefined ? {} : { cursor }) }, piece);
    }
    await onStep?.("files");
    const changes = await files?.({
      ...{ sessionId, agent: leaving.agent, cwd: leaving.cwd, agentSessionId: leaving.agentSessionId },
      source: { machineId: move.from, connection: await this.#parts.connection(move.from) },
      target: { machineId: move.to, connection: await this.#parts.connection(move.to) },
    });
    await target.prepare({ ...order, isDecided }, changes ?? {});
  }

  /** Everything after the decision. */
  async #finish(place: MovingPlace, options: MoveSessionOptions): Promise<void> {
    const { move } = place;
    const order = orderOf(place);
    const { onStep } = options;
    await onStep?.("arrive");
    {
      await using target = await this.#open(move.to);
      await target.link.arrive(order).catch((error: unknown) => this.#copyAgain(place, target.link, options, error));
    }
    await onStep?.("forget");
    {
      await using source = await this.#open(move.from);
      await source.link.forget({ ...order, to: move.to });
    }
    await onStep?.("end");
    await this.#parts.sessions.swap(place, { machineId: move.to });
  }

  /** The target has lost what had arrived. The source has all of it until it has forgotten. */
  async #copyAgain(place: MovingPlace, target: MoveLink, options: MoveSessionOptions, error: unknown): Promise<void> {
    if (!DaemonError.is(error, "SESSION_STATE")) throw error;
    await using source = await this.#open(place.move.from);
    await this.#copy(place, { source: source.link, target }, options);
    await target.arrive(orderOf(place));
  }

  /**
   * Gives a move up that is not decided: the session goes on where it is. Rejects when that machine is not online, and changes nothing
   * then: the move can go on.
   */
  async #giveUp(place: MovingPlace): Promise<void> {
    const { sessions } = this.#parts;
    const { sessionId, move } = place;
    const order = orderOf(place);
    await using source = await this.#open(move.from);
    const target = await this.#open(move.to).catch(() => undefined);
    try {
      const found = await target?.link.state(sessionId).catch(() => undefined);
      // The registry has lost the decision.
      const isThere = found?.state === "served" && found.arrivedBy === move.id;
      const next = isThere ? { machineId: move.to, move: { ...move, isCommitted: true } } : { machineId: move.from };
      if (!(await sessions.swap(place, next)) || isThere) return;
      await source.link.stay(order);
      await target?.link.discard(order).catch(() => {});
    } finally {
      await target?.[Symbol.asyncDispose]();
    }
  }

  async #open(machineId: string): Promise<AsyncDisposable & { readonly link: MoveLink }> {
    const link = new MoveLink(await this.#parts.dial(machineId));
    return { link, [Symbol.asyncDispose]: async () => link.close() };
  }
}

function orderOf({ sessionId, move }: MovingPlace): MoveOrder {
  return { sessionId, moveId: move.id };
}
