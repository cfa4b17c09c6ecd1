import { silentLogger } from "@daemon-sdk/protocol";
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { LiveAgents } from "../../src/agents/live-agents.js";
import type { AgentBound, Occupant } from "../../src/agents/occupant.js";

const AGENT_WAIT = { agentWaitMs: 1_000 };

/** An agent that does what the test says. */
class Place implements Occupant {
  idleSince: number | undefined;
  state: "waiting" | "starting" | "running" | "gone" | "refused" = "waiting";
  releases = 0;
  readonly abort = new AbortController();
  readonly settled: Promise<void>;

  readonly owner: string | undefined;
  readonly bound: AgentBound | undefined;

  constructor(
    readonly live: LiveAgents,
    owner?: string,
    bound?: AgentBound,
  ) {
    this.owner = owner;
    this.bound = bound;
    this.settled = live.admit(this, this.abort.signal).then(
      () => {
        this.state = "starting";
      },
      () => {
        this.state = "refused";
      },
    );
  }

  run(idleSince?: number): void {
    this.state = "running";
    this.idleSince = idleSince;
    this.live.started(this);
  }

  end(): void {
    this.state = "gone";
    this.live.delete(this);
  }

  async release(): Promise<void> {
    this.releases += 1;
    this.idleSince = undefined;
    await Promise.resolve();
    this.end();
  }

  async stop(): Promise<void> {
    this.abort.abort(new TypeError("stopped"));
    await this.settled;
    this.end();
  }
}

function liveAgents(limits: { agentStarts: number; liveAgents?: number; liveAgentsPerKey?: number }, now = () => 0) {
  const all = { liveAgents: 1_000, liveAgentsPerKey: 1_000, ...AGENT_WAIT, ...limits };
  return new LiveAgents({ limits: all, now, logger: silentLogger });
}

afterEach(() => {
  vi.useRealTimers();
});

/** Lets what is ready to happen happen. */
const settle = () => new Promise((resolve) => setImmediate(resolve));
const states = (places: readonly Place[]) => places.map(({ state }) => state).join(" ");

test("so many agents start at a time; the next begins when one has started, or failed to", async () => {
  const live = liveAgents({ agentStarts: 2 });
  const places = [1, 2, 3, 4].map(() => new Place(live));
  await settle();
  expect(states(places)).toBe("starting starting waiting waiting");
  places[0]?.run();
  places[1]?.end();
  await settle();
  expect(states(places)).toBe("running gone starting starting");
});

test("a start that takes long does not keep others from starting", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const live = liveAgents({ agentStarts: 1 });
  const slow = new Place(live);
  const next = new Place(live);
  await settle();
  vi.advanceTimersByTime(9_999);
  await settle();
  expect(states([slow, next])).toBe("starting waiting");
  vi.advanceTimersByTime(1);
  await settle();
  expect(states([slow, next])).toBe("starting starting");
});

test("owners take turns: the starts of one key delay that of another by one", async () => {
  const live = liveAgents({ agentStarts: 1 });
  const flood = Array.from({ length: 100 }, () => new Place(live, "key"));
  const own = new Place(live);
  await settle();
  flood[0]?.run();
  await settle();
  flood[1]?.run();
  await settle();
  expect(own.state).toBe("starting");
});

test("the agent that has been idle longest is stopped for a start past the bound; one at work never is", async () => {
  const live = liveAgents({ agentStarts: 4, liveAgents: 3 });
  const places = [5, undefined, 3].map((idleSince) => {
    const place = new Place(live);
    void place.settled.then(() => place.run(idleSince));
    return place;
  });
  await settle();
  const next = [new Place(live), new Place(live), new Place(live)];
  await settle();
  await settle();
  expect(states(places)).toBe("gone running gone");
  expect(states(next)).toBe("starting starting waiting");
  expect(live.reasonToWait(next[2] as Place)).toMatch(/^At most 3 agents run \(limits\.liveAgents\)/);
  // An agent that becomes idle makes room as soon as that is known.
  const busy = places[1] as Place;
  busy.idleSince = 9;
  live.recheck();
  await settle();
  expect(busy.releases).toBe(1);
  expect(states(next)).toBe("starting starting starting");
});

test("a key at its own bound waits for its own agents, and nobody else does", async () => {
  const live = liveAgents({ agentStarts: 9, liveAgentsPerKey: 1 });
  const own = new Place(live);
  const first = new Place(live, "key");
  const other = new Place(live, "other");
  await settle();
  own.run(1);
  first.run();
  other.run(1);
  const second = new Place(live, "key");
  await settle();
  expect(second.state).toBe("waiting");
  expect(live.reasonToWait(second)).toMatch(/limits\.liveAgentsPerKey/);
  expect(new Place(live)).toMatchObject({ owner: undefined });
  first.idleSince = 2;
  live.recheck();
  await settle();
  expect([states([own, first, other, second])]).toEqual(["running gone running starting"]);
});

test("near the bound, agents that have rested for a minute are stopped ahead of the next start", async () => {
  let now = 0;
  const live = liveAgents({ agentStarts: 16, liveAgents: 16 }, () => now);
  const places = Array.from({ length: 16 }, (_, index) => {
    const place = new Place(live);
    void place.settled.then(() => place.run(index));
    return place;
  });
  await settle();
  live.recheck();
  expect(places.every(({ state }) => state === "running")).toBe(true);
  now = 60_005;
  live.recheck();
  await settle();
  expect(places.flatMap(({ state }, index) => (state === "gone" ? [index] : []))).toEqual([0, 1]);
});

test("a wait ends with its signal, and with the daemon, and leaves nothing behind", async () => {
  const live = liveAgents({ agentStarts: 1 });
  const places = [1, 2, 3].map(() => new Place(live));
  await settle();
  places[1]?.abort.abort(new TypeError("given up"));
  await settle();
  expect(states(places)).toBe("starting refused waiting");
  await live.close();
  expect(states(places)).toBe("gone refused gone");
  await expect(live.admit(places[0] as Place, new AbortController().signal)).rejects.toThrow(/stopping/);
});

test("in any order of starts, ends and rests the bounds hold, and every start begins while others end", async () => {
  const owners = [undefined, "a", "b"];
  const step = fc.tuple(fc.constantFrom("admit", "run", "idle", "end", "abort"), fc.nat(2), fc.nat(50));
  const limits = fc.record({
    agentStarts: fc.integer({ min: 1, max: 3 }),
    liveAgents: fc.integer({ min: 1, max: 6 }),
    liveAgentsPerKey: fc.integer({ min: 1, max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(limits, fc.array(step, { maxLength: 60 }), async (bounds, steps) => {
      const live = liveAgents(bounds);
      const places: Place[] = [];
      const holds = () => {
        const starting = places.filter(({ state }) => state === "starting");
        const alive = places.filter(({ state }) => state === "starting" || state === "running");
        expect(starting.length).toBeLessThanOrEqual(bounds.agentStarts);
        expect(alive.length).toBeLessThanOrEqual(bounds.liveAgents);
        for (const key of ["a", "b"]) {
          expect(alive.filter(({ owner }) => owner === key).length).toBeLessThanOrEqual(bounds.liveAgentsPerKey);
        }
      };
      for (const [what, who, which] of steps) {
        const place = places[which % Math.max(1, places.length)];
        if (what === "admit") places.push(new Place(live, owners[who]));
        if (what === "run" && place?.state === "starting") place.run();
        if (what === "idle" && place?.state === "running") {
          place.idleSince = which;
          live.recheck();
        }
        if (what === "end" && place?.state === "running") place.end();
        if (what === "abort" && place?.state === "waiting") place.abort.abort();
        await settle();
        holds();
      }
      for (let rounds = places.length; rounds >= 0; rounds -= 1) {
        for (const place of places) if (place.state === "starting" || place.state === "running") place.end();
        await settle();
        holds();
      }
      expect(places.filter(({ state }) => state === "waiting")).toEqual([]);
    }),
    { numRuns: 100 },
  );
});

test("an agent with a bound of its own runs as often as that, and holds up no other", async () => {
  const live = liveAgents({ agentStarts: 9 });
  const heavy = { agent: "heavy", most: 2 };
  const places = [1, 2, 3].map(() => new Place(live, undefined, heavy));
  const light = new Place(live, undefined, { agent: "light", most: undefined });
  await settle();
  expect(states(places)).toBe("starting starting waiting");
  expect(light.state).toBe("starting");
  expect(live.reasonToWait(places[2] as Place)).toBe('At most 2 of the agent "heavy" run (agents.heavy.maxLive).');
  light.end();
  await settle();
  expect(states(places)).toBe("starting starting waiting");
  places[0]?.end();
  await settle();
  expect(states(places)).toBe("gone starting starting");
});

test("an agent that runs as often as it may makes room for itself, and not at another's cost", async () => {
  const live = liveAgents({ agentStarts: 9 });
  const heavy = { agent: "heavy", most: 1 };
  const light = new Place(live);
  const first = new Place(live, undefined, heavy);
  await settle();
  light.run(1);
  first.run(2);
  const second = new Place(live, "a key", heavy);
  await settle();
  expect([light.releases, first.releases, second.state]).toEqual([0, 1, "starting"]);
});
