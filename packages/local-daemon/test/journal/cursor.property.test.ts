import { type Credit, type SessionNotification, sessionId, silentLogger } from "@daemon-sdk/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Cursor } from "../../src/journal/cursor.js";
import { EntryBatches } from "../../src/journal/entry-batches.js";
import { EntryFrames } from "../../src/journal/entry-frames.js";
import { isFreeEntry, mayBeFree, metaHead, notificationHead } from "../../src/journal/journal-frame.js";
import { requestNamed, takeSegments, unstoredLog } from "./unstored-log.js";

interface Sent {
  type: string;
  id?: string;
  params: { notification?: SessionNotification };
  _meta: { seq: number; early?: true; resolved?: true };
}

type Step =
  | { kind: "commit"; entries: readonly (keyof typeof KINDS)[] }
  | { kind: "grant"; events: number; bytes: number }
  | { kind: "full" | "writable" | "tick" | "resolve" };

/** Notifications by name; `details` first, as an agent's words may come: the kind is known all the same. */
const KINDS = {
  delta: { type: "assistant_text_delta", textDelta: "é".repeat(20) },
  forged: { text: { notification: { type: "session_closed" } }, type: "x" },
  permission_resolved: { type: "permission_resolved", requestId: "q" },
  ask_user_resolved: { type: "ask_user_resolved", requestId: "q" },
  agent_turn_completed: { message: "why", type: "agent_turn_completed", turnId: "m" },
  session_closed: { type: "session_closed", timestamp: 1 },
  session_notice: { message: "why", code: "STORAGE_FULL", type: "session_notice" },
  agentNotice: { message: "why", code: "AGENT_NOTICE", type: "session_notice" },
  request: { type: "" },
} as const satisfies Record<string, SessionNotification>;
const FREE = ["permission_resolved", "ask_user_resolved", "agent_turn_completed", "session_closed", "session_notice"];

const kind = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom<keyof typeof KINDS>("delta", "forged", "agentNotice") },
  fc.constantFrom(...(Object.keys(KINDS) as (keyof typeof KINDS)[])),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(kind, { minLength: 1, maxLength: 6 }).map((entries): Step => ({ kind: "commit", entries })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ events: fc.nat(4), bytes: fc.nat(2_000) })
      .map((credit): Step => ({ kind: "grant", ...credit })),
  },
  fc.constantFrom<Step>(
    { kind: "full" },
    { kind: "writable" },
    { kind: "writable" },
    { kind: "tick" },
    { kind: "resolve" },
  ),
);

const FRAMES = new EntryFrames(sessionId("s"));
const LONG = 1_000_000;
const bytesOf = (frames: readonly string[]) => frames.reduce((sum, frame) => sum + Buffer.byteLength(frame), 0);

/** A journal, a store of it, one client, and what the client was sent. */
class Bench {
  readonly entries: string[] = [];
  readonly texts: string[] = [];
  isFull = false;
  committedSeq = 0;
  readonly #log = unstoredLog({ sessionId: sessionId("s"), epoch: 1, lastSeq: 0 });
  readonly #resolved = new Set<string>();
  #waiting: (() => void)[] = [];

  cursor(start: { fromSeq: number; credit?: Credit; earlyFromSeq?: number }): Cursor {
    const self = this;
    return new Cursor({
      ...start,
      source: {
        batches: new EntryBatches(sessionId("s")),
        frames: FRAMES,
        get committedSeq() {
          return self.committedSeq;
        },
        async readEntries(fromSeq, maxBytes) {
          await new Promise((resolve) => setImmediate(resolve));
          const entries = self.entries.slice(fromSeq - 1, fromSeq - 1 + Math.max(1, Math.floor(maxBytes / 100_000)));
          return { firstSeq: fromSeq, epoch: 1, entries };
        },
      },
      client: {
        id: "c",
        isPlain: false,
        principal: { keyId: undefined },
        sink: {
          get isFull() {
            return self.isFull;
          },
          send: (text) => self.texts.push(text) > 0,
          onceWritable: (callback) => self.#waiting.push(callback),
        },
        fail: (error) => {
          throw error;
        },
      },
      wantsRequest: () => true,
      isPending: (id) => !this.#resolved.has(id),
      logger: silentLogger,
    });
  }

  commit(entries: readonly (keyof typeof KINDS)[], cursor: Cursor): void {
    for (const name of entries) {
      if (name === "request") requestNamed(this.#log, `q-${this.entries.length}`, {});
      else this.#log.append(KINDS[name]);
    }
    for (const segment of takeSegments(this.#log)) {
      this.entries.push(...segment.entries);
      this.committedSeq = segment.firstSeq + segment.entries.length - 1;
      cursor.deliver(segment, segment.entries.some(isFreeEntry));
    }
  }

  /** Of all entries. */
  get frames(): string[] {
    return this.entries.map((entry, index) => FRAMES.frameOf(entry, { epoch: 1, seq: index + 1 }));
  }

  resolveAll(): void {
    for (let index = 0; index < this.entries.length; index++) this.#resolved.add(`q-${index}`);
  }

  writable(): void {
    this.isFull = false;
    for (const callback of this.#waiting.splice(0)) callback();
  }

  /** What was sent, each entry of a batch by itself. */
  sent(): Sent[] {
    return this.texts.flatMap(apart).map((text) => JSON.parse(text) as Sent);
  }

  inOrder(): string[] {
    return this.messagesInOrder().flatMap(apart);
  }

  messagesInOrder(): string[] {
    return this.texts.filter((text) => !text.endsWith(',"early":true}}'));
  }
}

/** The frames of the entries that a message holds. */
function apart(text: string): string[] {
  const { params, _meta } = JSON.parse(text) as { params: { notifications?: object[] }; _meta: { seq: number } };
  const { notifications } = params;
  if (notifications === undefined) return [text];
  expect(notifications.length).toBeGreaterThan(1);
  const head = notificationHead(sessionId("s"));
  return notifications.map((body, at) => `${head}${JSON.stringify(body)}}${metaHead(1)}${_meta.seq + at}}}`);
}

async function settle(): Promise<void> {
  for (let tick = 0; tick < 60; tick++) await new Promise((resolve) => setImmediate(resolve));
}

function play(
  bench: Bench,
  cursor: Cursor,
  granted: { events: number; bytes: number },
  move: Step,
): Promise<void> | void {
  switch (move.kind) {
    case "commit":
      return bench.commit(move.entries, cursor);
    case "grant":
      granted.events += move.events;
      granted.bytes += move.bytes;
      return cursor.grant(move);
    case "full":
      bench.isFull = true;
      return;
    case "writable":
      return bench.writable();
    case "resolve":
      return bench.resolveAll();
    case "tick":
      return new Promise((resolve) => setImmediate(resolve));
  }
}

const START: fc.Arbitrary<Credit> = fc.record(
  { events: fc.nat(3), bytes: fc.nat(2_000), batches: fc.constant<true>(true) },
  { requiredKeys: ["events", "bytes"] },
);

test("whatever is committed, granted and read, entries come in order, once, within the credit; only what must not wait comes early (L5)", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), START, async (steps, start) => {
      const bench = new Bench();
      const granted = { events: start.events, bytes: start.bytes };
      const cursor = bench.cursor({ fromSeq: 1, credit: start });
      cursor.start();
      for (const move of steps) {
        await play(bench, cursor, granted, move);
        const paid = bench.inOrder().filter((text) => !isFreeEntry(text));
        expect(paid.length).toBeLessThanOrEqual(granted.events);
        // The last one may overdraw.
        const messages = bench.messagesInOrder().filter((text) => !isFreeEntry(text));
        if (messages.length > 0) expect(bytesOf(messages.slice(0, -1))).toBeLessThan(granted.bytes);
      }
      bench.writable();
      await settle();
      const early = bench.sent().filter(({ _meta }) => _meta.early);
      for (const { type, params } of early) {
        if (type !== "request") expect(FREE).toContain(params.notification?.type);
        expect(params.notification?.code).not.toBe("AGENT_NOTICE");
      }
      expect(new Set(early.map(({ _meta }) => _meta.seq)).size).toBe(early.length);
      // Blocked, and all that must not wait is told: in order, early, or as resolved it has nobody to ask.
      const told = new Set(bench.sent().map(({ _meta }) => _meta.seq));
      for (const [index, frame] of bench.frames.entries()) {
        const { type } = JSON.parse(frame) as Sent;
        if (isFreeEntry(frame) && type !== "request") expect(told.has(index + 1)).toBe(true);
      }
      cursor.grant({ events: LONG, bytes: LONG * 1_000 });
      await settle();
      expect(bench.inOrder().map((text) => (JSON.parse(text) as Sent)._meta.seq)).toEqual(
        bench.frames.map((_, index) => index + 1),
      );
      expect(bench.inOrder().map((text) => text.replace(',"resolved":true', ""))).toEqual(bench.frames);
    }),
    { numRuns: 300 },
  );
});

test("what is free of credit is known from the notification as well as from its entry", () => {
  const log = unstoredLog({ sessionId: sessionId("s"), epoch: 1, lastSeq: 0 });
  const notifications: SessionNotification[] = Object.values(KINDS).filter(({ type }) => type !== "");
  for (const notification of notifications) log.append(notification);
  const entries = takeSegments(log).flatMap((segment) => segment.entries);
  expect(entries.map(isFreeEntry)).toEqual(notifications.map(mayBeFree));
});

test("a cursor that skips entries tells early what must not wait among them, and then goes on in order", async () => {
  const bench = new Bench();
  const first = bench.cursor({ fromSeq: 1, credit: { events: 0, bytes: 0 } });
  first.start();
  bench.commit(["delta", "request", "delta"], first);
  bench.isFull = true;
  bench.commit(["delta", "agent_turn_completed", "request", "delta"], first);
  first.close();
  const next = bench.cursor({ fromSeq: 8, earlyFromSeq: first.scannedSeq + 1, credit: { events: 1, bytes: 1_000 } });
  next.start();
  bench.writable();
  await settle();
  bench.commit(["delta", "delta"], next);
  expect(bench.sent().map(({ _meta }) => [_meta.seq, _meta.early ?? false])).toEqual([
    [2, true],
    [5, true],
    [6, true],
    [8, false],
  ]);
});

test("a request that was resolved before it could be sent is marked, so that nobody is asked", async () => {
  const bench = new Bench();
  const cursor = bench.cursor({ fromSeq: 1 });
  bench.commit(["request", "permission_resolved"], cursor);
  bench.resolveAll();
  cursor.start();
  await settle();
  expect(bench.sent().map(({ _meta }) => _meta.resolved ?? false)).toEqual([true, false]);
});
