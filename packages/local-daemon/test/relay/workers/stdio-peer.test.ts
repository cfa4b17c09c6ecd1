import { LIMITS, newId, type SessionId, silentLogger } from "@daemon-sdk/protocol";
import { bodyText, createEnvelope } from "@daemon-sdk/protocol/relay";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ShadowTable } from "../../../src/relay/groups/index.js";
import type { Mailboxes, MailboxSink, Post, PostOutcome } from "../../../src/relay/mailboxes/mailboxes.js";
import { StdioPeer } from "../../../src/relay/workers/stdio-peer.js";
import { TaskAgent } from "../../../src/relay/workers/task-agent.js";
import { FakeSpawner } from "../../sessions/fake-agent.js";

/** Mailboxes that answer posts as the test says, in order; then everything is taken. */
class FakeMailboxes implements Mailboxes {
  readonly posts: Post[] = [];
  readonly acked: string[] = [];
  sink: MailboxSink | undefined;
  readonly #outcomes: PostOutcome[];
  #waiters: (() => void)[] = [];

  constructor(...outcomes: PostOutcome[]) {
    this.#outcomes = outcomes;
  }

  async post(posts: readonly Post[]): Promise<PostOutcome[]> {
    this.posts.push(...posts);
    for (const resolve of this.#waiters.splice(0)) resolve();
    return [this.#outcomes.shift() ?? { state: "queued" }];
  }

  record(): void {}

  attach(_name: string, sink: MailboxSink) {
    this.sink = sink;
    return { ack: (id: string) => void this.acked.push(id), ackAwaited: () => {}, close: () => {} };
  }

  async history(): Promise<never[]> {
    return [];
  }

  async posted(count: number): Promise<void> {
    while (this.posts.length < count) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }
}

const BUSY: PostOutcome = { state: "refused", code: "BUSY", message: "full", retryAfterMs: 700, queueDepth: 9 };
const TOO_LARGE: PostOutcome = { state: "refused", code: "BAD_REQUEST", message: "It is too large." };

async function employ(mailboxes: FakeMailboxes, said: string[] = []) {
  const spawner = new FakeSpawner();
  spawner.onSpawn = (fake) => {
    fake.onPrompt = ({ text }) => {
      fake.message("a", "assistant", `did ${text}`);
      fake.end();
    };
  };
  const spec = { name: "fake", command: ["fake"], driver: "stream-jsonrpc" } as const;
  const options = { spawner, spec, sessionId: newId<SessionId>(), cwd: "/", logger: silentLogger };
  const agent = await TaskAgent.start(options);
  const worker = new StdioPeer({
    agent,
    hello: { agent: "Worker" },
    mailboxes,
    shadows: new ShadowTable(),
    channels: { post: (_peer, { payload }) => void said.push(bodyText(payload.body)) },
    now: Date.now,
    logger: silentLogger,
    acknowledge: () => {},
  });
  worker.open();
  return { agent, worker, fake: spawner.agents[0] };
}

function deliver(mailboxes: FakeMailboxes, id: string, body: string): void {
  const delivery = { seq: 1, session_id: "s" };
  const envelope = createEnvelope("DELIVER", { kind: "message", body }, { id, from: "Lead", to: "Worker", delivery });
  mailboxes.sink?.deliver(JSON.stringify(envelope), id, 1);
}

afterEach(() => void vi.useRealTimers());

describe("StdioPeer", () => {
  test("takes a redelivered message for no second prompt, and acknowledges it once the agent has it", async () => {
    const mailboxes = new FakeMailboxes();
    const { fake } = await employ(mailboxes);
    deliver(mailboxes, "d-1", "1");
    deliver(mailboxes, "d-1", "1");
    deliver(mailboxes, "d-2", "2");
    await mailboxes.posted(2);
    deliver(mailboxes, "d-1", "1");
    expect(fake?.prompts.map(({ text }) => text)).toEqual(["1", "2"]);
    expect([...new Set(mailboxes.acked)]).toEqual(["d-1", "d-2"]);
    expect(mailboxes.posts.map(({ payload }) => payload.body)).toEqual(["did 1", "did 2"]);
  });

  test("is full with one message at work and one at hand, and says when it is not", async () => {
    const mailboxes = new FakeMailboxes();
    await employ(mailboxes);
    const { sink } = mailboxes;
    deliver(mailboxes, "d-1", "1");
    expect(sink?.isFull).toBe(false);
    deliver(mailboxes, "d-2", "2");
    expect(sink?.isFull).toBe(true);
    await new Promise<void>((resolve) => {
      const look = () => (sink?.isFull ? sink.onceWritable(look) : resolve());
      look();
    });
    expect(mailboxes.posts.length).toBeGreaterThan(0);
  });

  test("keeps an answer whose recipient has no room, and tries again when it was told to", async () => {
    const mailboxes = new FakeMailboxes(BUSY, BUSY);
    await employ(mailboxes);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    deliver(mailboxes, "d-1", "1");
    await mailboxes.posted(1);
    await vi.advanceTimersByTimeAsync(699);
    expect(mailboxes.posts).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    await vi.advanceTimersByTimeAsync(700);
    expect(mailboxes.posts.map(({ payload }) => payload.body)).toEqual(["did 1", "did 1", "did 1"]);
  });

  test("tells the sender of an answer that is too large, once", async () => {
    const mailboxes = new FakeMailboxes(TOO_LARGE, TOO_LARGE);
    await employ(mailboxes);
    deliver(mailboxes, "d-1", "1");
    await mailboxes.posted(2);
    deliver(mailboxes, "d-2", "2");
    await mailboxes.posted(3);
    expect(mailboxes.posts.map(({ payload }) => payload.body)).toEqual([
      "did 1",
      "The answer of 5 characters could not be delivered. It is too large.",
      "did 2",
    ]);
  });

  test("takes a bounded number of mentions, and says so in the channel when it takes no more", async () => {
    const said: string[] = [];
    const { worker, fake } = await employ(new FakeMailboxes(), said);
    if (fake !== undefined) fake.onPrompt = () => {};
    const mention = { channel: "#general", body: "1", mentions: ["Worker"] };
    for (let count = 0; count < 1 + LIMITS.queuedTurns; count++) {
      worker.send(createEnvelope("CHANNEL_MESSAGE", mention, { from: "Lead" }));
    }
    expect(said).toEqual([]);
    worker.send(createEnvelope("CHANNEL_MESSAGE", mention, { from: "Lead" }));
    expect(said).toEqual([expect.stringContaining("did not take yours")]);
  });

  test("leaves a message that its dead agent never got in the mailbox", async () => {
    const mailboxes = new FakeMailboxes();
    const { fake, agent } = await employ(mailboxes);
    fake?.die(1);
    await agent.gone;
    deliver(mailboxes, "d-1", "1");
    await new Promise((resolve) => setImmediate(resolve));
    expect(mailboxes.acked).toEqual([]);
    expect(mailboxes.posts).toEqual([]);
  });
});
