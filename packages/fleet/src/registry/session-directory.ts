import { isRecord } from "@daemon-sdk/protocol";
import type { KV } from "@nats-io/kv";
import { registryFailure } from "./buckets.js";
import { isWrongRevision } from "./wrong-revision.js";

const PLAIN_KEY = /^[A-Za-z0-9_-]{1,128}$/;

/** Which machine has the sessions that services made. An entry is a hint, and never proves that the session exists. */
export class SessionDirectory {
  readonly #sessions: KV;

  constructor(sessions: KV) {
    this.#sessions = sessions;
  }

  /** The machine of a session; undefined when no service made it. Rejects with CONNECTION_FAILED. */
  async machineOf(sessionId: string): Promise<string | undefined> {
    try {
      const found = await this.#sessions.get(keyOf(sessionId));
      if (found === null || found.operation !== "PUT") return undefined;
      const value: unknown = found.json();
      return isRecord(value) && typeof value.machineId === "string" ? value.machineId : undefined;
    } catch (error) {
      throw registryFailure("read", error);
    }
  }

  /**
   * Writes down where a session is going to be made, before it is made: so that of two services with one id both go to one machine, and
   * no session exists that nobody finds. Resolves with the machine that the entry names. Rejects with CONNECTION_FAILED.
   */
  async claim(sessionId: string, machineId: string): Promise<string> {
    try {
      await this.#sessions.create(keyOf(sessionId), JSON.stringify({ machineId }));
      return machineId;
    } catch (error) {
      if (!isWrongRevision(error)) throw registryFailure("written", error);
      return (await this.machineOf(sessionId)) ?? machineId;
    }
  }

  /** Corrects a hint, or writes one for a session that no service made. A failure is of no consequence. */
  async note(sessionId: string, machineId: string): Promise<void> {
    await this.#sessions.put(keyOf(sessionId), JSON.stringify({ machineId })).catch(() => {});
  }

  /** Removes the entry of a session that was not made. A failure is of no consequence. */
  async drop(sessionId: string): Promise<void> {
    await this.#sessions.delete(keyOf(sessionId)).catch(() => {});
  }
}

/** Ids are whatever their makers chose; keys are not. */
function keyOf(sessionId: string): string {
  if (PLAIN_KEY.test(sessionId)) return sessionId;
  const hex = Array.from(new TextEncoder().encode(sessionId), (byte) => byte.toString(16).padStart(2, "0"));
  return `=${hex.join("")}`;
}
