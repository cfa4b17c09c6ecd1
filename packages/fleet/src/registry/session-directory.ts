import { isRecord } from "@daemon-sdk/protocol";
import type { KV } from "@nats-io/kv";
import { FLEET_LIMITS } from "../limits/index.js";
import { sessionToken } from "../names/index.js";
import { registryFailure } from "./buckets.js";
import { isWrongRevision } from "./wrong-revision.js";

/** A move of a session that is not over. */
export interface SessionMove {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** Whether the session belongs to the machine `to` from now on. */
  readonly isCommitted: boolean;
}

/** One entry of the directory. */
export interface SessionPlace {
  readonly sessionId: string;
  readonly machineId: string;
  readonly move?: SessionMove | undefined;
  readonly revision: number;
  /** When the server took the entry, in Unix milliseconds. */
  readonly writtenAt: number;
}

/**
 * Which machine has the sessions that services made. An entry is a hint, and never proves that the session exists. An entry with a move is
 * more: its changes decide which of two machines has the session.
 */
export class SessionDirectory {
  readonly #sessions: KV;

  constructor(sessions: KV) {
    this.#sessions = sessions;
  }

  /** The machine of a session; undefined when no service made it. Rejects with CONNECTION_FAILED. */
  async machineOf(sessionId: string): Promise<string | undefined> {
    return (await this.placeOf(sessionId))?.machineId;
  }

  /** The entry of a session. Rejects with CONNECTION_FAILED. */
  async placeOf(sessionId: string): Promise<SessionPlace | undefined> {
    try {
      const found = await this.#sessions.get(sessionToken(sessionId));
      if (found === null || found.operation !== "PUT") return undefined;
      const value: unknown = found.json();
      if (!isRecord(value) || typeof value.machineId !== "string") return undefined;
      const move = isRecord(value.move) ? { move: value.move as unknown as SessionMove } : {};
      return {
        sessionId,
        machineId: value.machineId,
        ...move,
        revision: found.revision,
        writtenAt: found.created.getTime(),
      };
    } catch (error) {
      throw registryFailure("read", error);
    }
  }

  /** Changes an entry by compare-and-set. Resolves to false when another program changed it first. Rejects with CONNECTION_FAILED: then it may be changed. */
  async swap(
    place: Pick<SessionPlace, "sessionId" | "revision">,
    { machineId, move }: Pick<SessionPlace, "machineId" | "move">,
  ): Promise<boolean> {
    try {
      await this.#sessions.update(sessionToken(place.sessionId), JSON.stringify({ machineId, move }), place.revision);
      return true;
    } catch (error) {
      if (isWrongRevision(error)) return false;
      throw registryFailure("written", error);
    }
  }

  /**
   * Writes down where a session is going to be made, before it is made: so that of two services with one id both go to one machine, and
   * no session exists that nobody finds. Resolves with the machine that the entry names. Rejects with CONNECTION_FAILED.
   */
  async claim(sessionId: string, machineId: string): Promise<string> {
    try {
      await this.#sessions.create(sessionToken(sessionId), JSON.stringify({ machineId }));
      return machineId;
    } catch (error) {
      if (!isWrongRevision(error)) throw registryFailure("written", error);
      return (await this.machineOf(sessionId)) ?? machineId;
    }
  }

  /** Corrects a hint, or writes one for a session that no service made; an entry with a move stays. A failure is of no consequence. */
  async note(sessionId: string, machineId: string): Promise<void> {
    try {
      const place = await this.placeOf(sessionId);
      if (place === undefined) await this.claim(sessionId, machineId);
      else if (place.move === undefined) await this.swap(place, { machineId });
    } catch {
      // The next one who looks for the session finds it as this one did.
    }
  }

  /**
   * Keeps an entry from being removed, for somebody who is going to make its session: writes the entry again when it is old enough to be
   * removed. Resolves to false when another program changed it first. Rejects with CONNECTION_FAILED.
   */
  async hold(place: SessionPlace): Promise<boolean> {
    if (place.move !== undefined || ageOf(place) < FLEET_LIMITS.goneSessionMs / 2) return true;
    return this.swap(place, place);
  }

  /** The session of an entry was used: the entry is written again before it is removed by its age. A failure is of no consequence. */
  async used(place: SessionPlace): Promise<void> {
    if (place.move !== undefined || ageOf(place) < FLEET_LIMITS.renewSessionMs) return;
    await this.swap(place, place).catch(() => {});
  }

  /**
   * Removes the entry of a session that its machine does not have any more, unless the entry was changed meanwhile, has a move, or is so
   * young that the session may be about to be made. A failure is of no consequence.
   */
  async gone(place: SessionPlace): Promise<void> {
    if (place.move !== undefined || ageOf(place) < FLEET_LIMITS.goneSessionMs) return;
    await this.#sessions.delete(sessionToken(place.sessionId), { previousSeq: place.revision }).catch(() => {});
  }

  /** Removes the entry of a session that was not made. A failure is of no consequence. */
  async drop(sessionId: string): Promise<void> {
    await this.#sessions.delete(sessionToken(sessionId)).catch(() => {});
  }
}

function ageOf({ writtenAt }: SessionPlace): number {
  return Date.now() - writtenAt;
}
