import assert from "node:assert/strict";
import type { DaemonSession } from "@daemon-sdk/client";
import { RawClient } from "./raw-client.js";

const SOON_MS = 30_000;

/** All events that listeners received, by session, for a comparison with the journals. */
export class Told {
  readonly #entries = new Map<string, string[]>();
  #changed: () => void = () => {};

  /** Begins with what comes from now on. */
  follow(session: DaemonSession): void {
    const entries: string[] = [];
    this.#entries.set(session.sessionId, entries);
    session.onNotification((notification) => {
      entries.push(JSON.stringify(notification));
      this.#changed();
    });
  }

  /** How many words of agents came, over all sessions. */
  get words(): number {
    let words = 0;
    for (const entries of this.#entries.values()) {
      for (const entry of entries) if (entry.startsWith('{"type":"assistant_text_delta"')) words += 1;
    }
    return words;
  }

  /** Throws unless listeners received the whole journal of each session from its first prompt on, and each turn ended once. */
  async check(name: string, journals: ReadonlyMap<string, readonly string[]>): Promise<number> {
    let ends = 0;
    for (const [sessionId, told] of this.#entries) {
      const journal = journals.get(sessionId) ?? [];
      const prompted = journal.findIndex((entry) => entry.startsWith('{"type":"create_message"'));
      await this.#until(
        () => told.some((entry) => !isNotice(entry)),
        () => `${name}: nothing of ${sessionId}`,
      );
      const begins = journal.indexOf(told.find((entry) => !isNotice(entry)) ?? "");
      assert.ok(begins >= 0 && begins <= prompted, `${name} was told of the first prompt of ${sessionId}`);
      await this.#until(
        () => told.length >= journal.length - begins,
        () => `${name}: ${told.length} of ${journal.length - begins} entries of ${sessionId}`,
      );
      const expected = journal.slice(begins);
      const inOrder = (entries: readonly string[]) => entries.filter((entry) => !isNotice(entry));
      assert.deepEqual(inOrder(told), inOrder(expected), `${name} was told the journal of ${sessionId}`);
      assert.deepEqual(noticesOf(told), noticesOf(expected), `${name} was told the notices of ${sessionId}`);
      const turns = told.map(turnOf).filter((turn) => turn !== undefined);
      assert.equal(new Set(turns).size, turns.length, `${name}: each turn of ${sessionId} ended once`);
      ends += turns.length;
    }
    return ends;
  }

  #until(isReached: () => boolean, missing: () => string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`Not all came, ${missing()}`)), SOON_MS);
      this.#changed = () => {
        if (!isReached()) return;
        clearTimeout(timer);
        resolve();
      };
      this.#changed();
    });
  }
}

/** A notice comes ahead of its place to a client that lags (docs/protocol.md, "Credit"); the rest is in order. */
function isNotice(entry: string): boolean {
  return entry.startsWith('{"type":"session_notice"');
}

function noticesOf(entries: readonly string[]): Set<string> {
  return new Set(entries.filter(isNotice));
}

function turnOf(entry: string): string | undefined {
  if (!entry.includes('"agent_turn_completed"')) return undefined;
  const { type, turnId } = JSON.parse(entry) as { type: string; turnId?: string };
  return type === "agent_turn_completed" ? turnId : undefined;
}

/** The notifications in these journals, from their first entry on, as a client gets them that was never there. */
export async function journalsOf(
  { url, token }: { readonly url: string; readonly token: string },
  sessionIds: readonly string[],
): Promise<Map<string, string[]>> {
  using raw = await RawClient.connect(url, token);
  const journals = new Map<string, string[]>();
  for (const sessionId of sessionIds) {
    const entries: string[] = [];
    let end = Number.POSITIVE_INFINITY;
    const whole = new Promise<void>((resolve) => {
      raw.onFrame = ({ type, params, result, _meta }) => {
        const position = result?.position as { seq: number } | undefined;
        if (position !== undefined) end = position.seq;
        if (type === "notification" && params?.sessionId === sessionId)
          entries.push(JSON.stringify(params.notification));
        if ((_meta?.seq ?? position?.seq ?? 0) >= end && entries.length > 0) resolve();
      };
    });
    const { error } = await raw.call("resume_session", { sessionId, after: { epoch: 1, seq: 0 } });
    assert.equal(error, undefined, "nothing was pruned");
    await whole;
    journals.set(sessionId, entries);
  }
  return journals;
}
