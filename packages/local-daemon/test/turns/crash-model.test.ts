import { sessionId, silentLogger } from "@daemon-sdk/protocol";
import { expect, test, vi } from "vitest";
import { notificationOf } from "../../src/journal/journal-frame.js";
import { recover } from "../../src/sessions/recovery.js";
import { MemoryStore } from "../../src/storage/memory-store.js";
import type { Store, StoredMessageState } from "../../src/storage/store.js";
import { storedEntries } from "../journal/stored-entries.js";
import type { FakeAgent } from "../sessions/fake-agent.js";
import { Harness, type TestClient } from "../sessions/harness.js";

/** Every pass of a failpoint is a step; the world ends at the one that is chosen. */
const steps = vi.hoisted(() => ({ passed: [] as string[], crashAt: Number.POSITIVE_INFINITY, onCrash: () => {} }));

vi.mock("../../src/failpoint.js", () => ({
  failpoint(name: string) {
    steps.passed.push(name);
    if (steps.passed.length === steps.crashAt) steps.onCrash();
  },
}));

const S = sessionId("s-1");
const MESSAGES = ["m-1", "m-2"] as const;
const ENDS: readonly StoredMessageState[] = ["completed", "outcome_unknown"];

/** The disk as one daemon sees it: from its death on, nothing it asks of it comes to pass, or comes back. */
function diskOf(disk: MemoryStore, life: { isDead: boolean }): Store {
  return new Proxy(disk, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return life.isDead ? () => new Promise(() => {}) : member.bind(target);
    },
  });
}

/** What outlives the daemon: the disk, what agents did, and a client that repeats what was not acknowledged. */
class World {
  readonly disk = new MemoryStore();
  readonly work: string[] = [];
  readonly acknowledged = new Set<string>();
  /** Steps passed in each life. */
  readonly lives: string[][] = [];

  /** One life of a daemon, until the crash or until everything has ended. */
  async live(crashAt: number, send: Sender): Promise<void> {
    const life = { isDead: false };
    steps.passed = [];
    steps.crashAt = crashAt;
    const crashed = new Promise<"crashed">((resolve) => {
      steps.onCrash = () => {
        life.isDead = true;
        resolve("crashed");
      };
    });
    await Promise.race([crashed, this.#run(send, life).then(() => "done")]);
    this.lives.push(steps.passed);
    steps.crashAt = Number.POSITIVE_INFINITY;
    // Whatever of the dead one still wants to run does so now, and changes nothing.
    if (life.isDead) for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve));
  }

  async #run(send: Sender, life: { isDead: boolean }): Promise<void> {
    const store = diskOf(this.disk, life);
    const harness = await Harness.start({ store, now: () => 1 });
    harness.spawner.onSpawn = (agent) => behave(agent, (id) => life.isDead || this.work.push(id));
    const { waiting } = await recover(harness.host, silentLogger);
    for (const session of waiting) session.turns.release();
    const client = await harness.connect();
    await client.createSession("s-1");
    await send(async (id) => {
      const { result } = await client.call("add_user_message", { sessionId: "s-1", text: id, messageId: id });
      if (result !== undefined && !life.isDead) this.acknowledged.add(id);
    }, client);
    // The end of one that a former life told is in the journal, not on this connection.
    while ((await store.openTurns()).length > 0) await new Promise((resolve) => setImmediate(resolve));
    await harness.host.drain(0);
    await harness.host.stop();
  }

  /** Everything that the next life can know: where it is the same, all that follows is. */
  async memory(): Promise<string> {
    const entries = await storedEntries(this.disk, S);
    const rows = MESSAGES.map((id) => this.disk.readTurn(S, id as never));
    return JSON.stringify([entries, await Promise.all(rows), await this.disk.readSession(S), this.work]);
  }

  async expectConsistent(how: string): Promise<void> {
    const entries = await storedEntries(this.disk, S);
    const ended = entries
      .map(({ entry }) => notificationOf(entry))
      .filter((notification) => notification?.type === "agent_turn_completed");
    for (const id of MESSAGES) {
      const row = await this.disk.readTurn(S, id as never);
      const worked = this.work.filter((one) => one === id).length;
      const ends = ended.filter(({ turnId }) => turnId === id);
      const facts = { how, id, state: row?.state, worked, ends: ends.map(({ reason }) => reason) };
      expect(ENDS, JSON.stringify(facts)).toContain(row?.state);
      expect(worked, JSON.stringify(facts)).toBeLessThanOrEqual(1);
      expect(ends.length, JSON.stringify(facts)).toBe(1);
      if (row?.state === "completed") expect([worked, ends[0]?.reason], how).toEqual([1, "completed"]);
      else expect(ends[0]?.reason, how).toBe("daemon_restarted");
    }
    const seqs = entries.map(({ seq }) => seq);
    expect(seqs, how).toEqual(seqs.map((_, index) => index + 1));
  }
}

/** Confirms each prompt, says something, and ends it; what it did is done, whoever dies afterwards. */
function behave(agent: FakeAgent, note: (id: string) => void): void {
  agent.onPrompt = ({ messageId }) => {
    note(String(messageId));
    agent.started();
    agent.message(String(messageId), "user", "Hi");
    setImmediate(() => agent.end());
  };
}

/** How the client sends its two messages, in every life again: it knows of no end, and repeats. */
type Sender = (send: (id: string) => Promise<void>, client: TestClient) => Promise<void>;

const SENDERS: Record<string, Sender> = {
  "both at once": async (send) => void (await Promise.all(MESSAGES.map(send))),
  "both at once, each twice": async (send) => void (await Promise.all([...MESSAGES, ...MESSAGES].map(send))),
  "the second when the first was acknowledged": async (send) => {
    for (const id of MESSAGES) await send(id);
  },
};

/** All ways to lose a daemon at most twice; a second loss is tried once for each state that a first one can leave. */
async function explore(send: Sender): Promise<{ runs: number; names: Set<string> }> {
  const names = new Set<string>();
  const memories = new Set<string>();
  let runs = 0;
  const run = async (crashes: readonly number[]): Promise<{ world: World; isNew: boolean }> => {
    const world = new World();
    let isNew = true;
    for (const crashAt of crashes) {
      await world.live(crashAt, send);
      const memory = await world.memory();
      isNew = !memories.has(memory);
      if (crashes.length === 1) memories.add(memory);
    }
    await world.live(Number.POSITIVE_INFINITY, send);
    await world.expectConsistent(crashes.map((at, life) => `${at}: ${world.lives[life]?.[at - 1]}`).join(", then "));
    for (const life of world.lives) for (const name of life) names.add(name);
    runs++;
    return { world, isNew };
  };
  const unharmed = (await run([])).world.lives[0]?.length ?? 0;
  for (let first = 1; first <= unharmed; first++) {
    const { world, isNew } = await run([first]);
    const second = isNew ? (world.lives[1]?.length ?? 0) : 0;
    for (let at = 1; at <= second; at++) await run([first, at]);
  }
  return { runs, names };
}

test.each(Object.entries(SENDERS))(
  "two messages, %s: with every crash and every pair of crashes, each is acted on at most once, ends once, and none is lost",
  { timeout: 120_000 },
  async (_, send) => {
    const { runs, names } = await explore(send);
    expect(runs).toBeGreaterThan(200);
    expect([...names]).toEqual(expect.arrayContaining(STEPS));
  },
);

/** Between every two steps of a message's life, and of recovery. */
const STEPS = [
  "message-accepting",
  "committing",
  "committed",
  "message-accepted",
  "message-acknowledged",
  "message-handing",
  "message-handed",
  "message-written",
  "message-taken",
  "message-running",
  "message-ending",
  "delivered",
  "session-recovering",
  "session-recovered",
];
