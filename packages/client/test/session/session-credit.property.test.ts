import { CLIENT_LIMITS, type Credit } from "@daemon-sdk/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SessionCredit } from "../../src/session/session-credit.js";

const { creditEvents, creditBytes } = CLIENT_LIMITS;

const NOTHING: Credit = { events: 0, bytes: 0 };

/** A daemon with an endless journal and one lagging link to the client, and two consumers that take when they are told. */
class Model {
  readonly credit: SessionCredit;
  granted: Credit = NOTHING;
  isLinked = true;
  /** Credit of the call that attaches the session to a new link, until the daemon handles it; whatever is sent meanwhile, it handles first. */
  attaching: Credit | undefined;
  /** What the daemon has sent and the client has not seen: sizes of events, and answers to calls. */
  readonly link: (number | (() => void))[] = [];
  /** Events that wait, by consumer. */
  readonly waiting: number[][] = [[], []];
  readonly leases: (ReturnType<SessionCredit["attach"]> | undefined)[] = [undefined, undefined];
  sent = 0;

  constructor() {
    this.credit = new SessionCredit({
      follow: (credit, onResult) => {
        if (!this.isLinked) return false;
        this.granted = { ...credit };
        this.link.push(() => onResult({ position: { epoch: 1, seq: this.sent } }));
        return true;
      },
      grant: ({ events, bytes }) => {
        expect(Math.min(events, bytes)).toBeGreaterThanOrEqual(0);
        if (!this.isLinked || this.attaching !== undefined) return;
        this.granted = { events: this.granted.events + events, bytes: this.granted.bytes + bytes };
      },
      onBegin: () => {},
    });
  }

  /** The daemon sends the next entry, when it may. */
  send(size: number): boolean {
    if (this.granted.events <= 0 || this.granted.bytes <= 0) return false;
    this.granted = { events: this.granted.events - 1, bytes: this.granted.bytes - size };
    this.link.push(size);
    this.sent += 1;
    return true;
  }

  /** The client reads the next frame; the first consumer there is has to take its event. */
  receive(): void {
    const next = this.link.shift();
    if (typeof next === "function") next();
    else if (next !== undefined) {
      const bytes = this.credit.arrived({ type: "assistant_text_delta" }, next);
      const consumer = this.leases.findIndex((lease) => lease !== undefined);
      if (bytes === 0) return;
      if (consumer < 0) throw new TypeError("an event costs credit that nobody takes");
      this.leases[consumer]?.hold(bytes);
      this.waiting[consumer]?.push(bytes);
    }
  }

  take(consumer: number): void {
    const bytes = this.waiting[consumer]?.shift();
    if (bytes !== undefined) this.leases[consumer]?.taken(bytes);
  }

  toggle(consumer: number): void {
    const lease = this.leases[consumer];
    // One is a stream, the other one listens.
    if (lease === undefined) this.leases[consumer] = this.credit.attach(consumer === 0);
    else {
      this.leases[consumer] = undefined;
      this.waiting[consumer] = [];
      lease.end();
    }
  }

  /** The link is lost, and what was on it. */
  lose(): void {
    this.link.length = 0;
    this.isLinked = false;
    this.attaching = undefined;
    this.granted = NOTHING;
  }

  /** There is another link, and a call on it that attaches the session. */
  resume(): void {
    if (this.isLinked) this.lose();
    this.isLinked = true;
    this.attaching = this.credit.attaching();
  }

  /** The daemon handles that call: what it was told before is void. */
  handle(): void {
    if (this.attaching === undefined) return;
    this.granted = this.attaching;
    this.attaching = undefined;
    this.link.push(() => this.credit.attached());
  }

  check(): void {
    const since = this.link.findLastIndex((item) => typeof item === "function");
    const onLink = this.link.slice(since + 1).filter((item) => typeof item === "number");
    const waiting = this.waiting.flat();
    const events = this.granted.events + onLink.length + waiting.length;
    const bytes = this.granted.bytes + sum(onLink) + sum(waiting);
    expect(events).toBeLessThanOrEqual(creditEvents);
    // The last one that fits may be larger than what is left.
    expect(bytes).toBeLessThanOrEqual(creditBytes + Math.max(0, ...onLink, ...waiting));
    if (this.leases.every((lease) => lease === undefined)) return;
    if (waiting.length > 0 || this.link.length > 0 || !this.isLinked || this.attaching !== undefined) return;
    // Everything was taken: the daemon is never left without credit.
    expect(this.granted.events).toBeGreaterThan(0);
    expect(this.granted.bytes).toBeGreaterThan(0);
  }
}

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("send" as const),
      count: fc.integer({ min: 1, max: 80 }),
      size: fc.integer({ min: 1, max: 20_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("send" as const),
      count: fc.constant(1),
      size: fc.integer({ min: 1, max: 3_000_000 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("receive" as const), count: fc.integer({ min: 1, max: 120 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("take" as const),
      count: fc.integer({ min: 1, max: 120 }),
      consumer: fc.nat(1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("toggle" as const), consumer: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("lose" as const, "resume" as const, "handle" as const) }) },
);

test("however events come and are taken: never more than a window, never none for good, and all that was taken is given back", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const model = new Model();
      model.toggle(0);
      for (const one of steps) {
        if (one.do === "toggle") model.toggle(one.consumer);
        if (one.do === "lose" || one.do === "resume" || one.do === "handle") model[one.do]();
        const count = "count" in one ? one.count : 0;
        for (let done = 0; done < count; done += 1) {
          if (one.do === "send" && !model.send(one.size)) break;
          if (one.do === "receive") model.receive();
          if (one.do === "take") model.take(one.consumer);
        }
        model.check();
      }
      if (!model.isLinked) model.resume();
      model.handle();
      while (model.link.length > 0) model.receive();
      for (const consumer of [0, 1]) while ((model.waiting[consumer] ?? []).length > 0) model.take(consumer);
      model.check();
    }),
    { numRuns: 500 },
  );
});

test("bytes are those of the frame in UTF-8, as the daemon counts them, however long it is", () => {
  const credit = new SessionCredit({ follow: () => false, grant: () => {}, onBegin: () => {} });
  credit.attach();
  const text = fc.oneof(fc.string({ unit: "binary", maxLength: 50 }), fc.constantFrom("é", "漢字", "😀", "\ud800"));
  fc.assert(
    fc.property(text, fc.constantFrom(1, 5_461, 20_000), (piece, times) => {
      const frame = piece.repeat(times);
      expect(credit.costOf(frame)).toBe(Buffer.byteLength(frame));
    }),
    { numRuns: 100 },
  );
});

test("what goes beside the credit costs none", () => {
  const credit = new SessionCredit({ follow: () => false, grant: () => {}, onBegin: () => {} });
  credit.attach();
  for (const type of ["permission_resolved", "ask_user_resolved", "agent_turn_completed", "session_closed"]) {
    expect(credit.arrived({ type }, 2)).toBe(0);
  }
  expect(credit.arrived({ type: "session_notice", code: "STORAGE_FULL" }, 2)).toBe(0);
  expect(credit.arrived({ type: "session_notice", code: "AGENT_NOTICE" }, 2)).toBe(2);
});
