import assert from "node:assert/strict";
import type { DaemonSession } from "@daemon-sdk/client";
import { collect, openSession, resultOf, type StressCheck } from "./check.js";

const PARTIAL = { includePartialMessages: true } as const;

export const turnChecks: readonly StressCheck[] = [
  {
    title: "create and stream: a tool runs, the answer comes, one result ends it",
    async run(ground) {
      await using session = await openSession(ground);
      const events = await collect(session, "read notes.md");
      const types = events.map((event) => event.type);
      assert.ok(types.includes("tool_call") && types.includes("tool_result") && types.includes("assistant"));
      assert.equal(types.filter((type) => type === "result").length, 1);
      assert.equal(resultOf(events).success, true);
    },
  },
  {
    title: "partial messages: 500 deltas arrive in order and add up to the whole text",
    async run(ground) {
      await using session = await openSession(ground);
      const events = await collect(session, "stream 500 of 20", PARTIAL);
      const deltas = events.flatMap((event) => (event.type === "assistant_text_delta" ? [event.text] : []));
      assert.equal(deltas.length, 500);
      assert.equal(deltas.join(""), resultOf(events).text);
      const coarse = await collect(session, "stream 500 of 20");
      assert.ok(coarse.every((event) => event.type !== "assistant_text_delta"));
    },
  },
  {
    title: "multi-turn context: the third turn recalls the first two",
    async run(ground) {
      await using session = await openSession(ground);
      await collect(session, "say apples");
      await collect(session, "say pears");
      const { text } = resultOf(await collect(session, "recall"));
      assert.match(text, /say apples[\s\S]*say pears/);
    },
  },
  {
    title: "send: acknowledged at once, done in order, told to listeners",
    async run(ground) {
      await using session = await openSession(ground);
      const ended = turnsEnded(session, 2);
      await session.send("count 3 every 20");
      await session.send("say second");
      const [first, second] = await ended;
      assert.notEqual(first, second);
      const { text } = resultOf(await collect(session, "recall"));
      assert.match(text, /count 3 every 20[\s\S]*say second/);
    },
  },
  {
    title: "interrupt: by the session, by the connection, by a signal; the session stays usable",
    async run(ground) {
      await using session = await openSession(ground);
      await interruptedBy(session, () => session.interrupt());
      await interruptedBy(session, () => ground.connection.interruptSession(session.sessionId));
      const controller = new AbortController();
      const reason = new Error("enough");
      const streaming = interruptedBy(session, () => controller.abort(reason), controller.signal);
      await assert.rejects(streaming, (error) => error === reason);
      assert.equal(resultOf(await collect(session, "say ready")).text.trim(), "ready");
    },
  },
  {
    title: "sequential streams: 30 turns on one session, each with its own result and nobody else's text",
    async run(ground) {
      await using session = await openSession(ground);
      for (let turn = 0; turn < 30; turn += 1) {
        assert.equal(resultOf(await collect(session, `say turn ${turn}`)).text.trim(), `turn ${turn}`);
      }
    },
  },
  {
    title: "notification subscription: a filtered listener hears its type, and nothing after it unsubscribed",
    async run(ground) {
      await using session = await openSession(ground);
      const heard: string[] = [];
      const unsubscribe = session.onNotification(({ type }) => heard.push(type), { type: "agent_turn_completed" });
      await collect(session, "say one");
      unsubscribe();
      await collect(session, "say two");
      assert.deepEqual(heard, ["agent_turn_completed"]);
    },
  },
];

async function interruptedBy(
  session: DaemonSession,
  interrupt: () => unknown,
  abortSignal?: AbortSignal,
): Promise<void> {
  const options = abortSignal ? { ...PARTIAL, abortSignal } : PARTIAL;
  let deltas = 0;
  for await (const event of session.stream("count 1000 every 10", options)) {
    if (event.type === "assistant_text_delta" && ++deltas === 3) await interrupt();
    if (event.type === "result") assert.equal(event.subtype, "interrupted");
  }
  assert.ok(deltas < 100, "the turn was cut short");
}

/** Ids of the next turns that end, in that order. */
function turnsEnded(session: DaemonSession, count: number): Promise<unknown[]> {
  const ids: unknown[] = [];
  return new Promise((resolve) => {
    const unsubscribe = session.onNotification((notification) => {
      if (notification.type !== "agent_turn_completed") return;
      ids.push(notification.turnId);
      if (ids.length < count) return;
      unsubscribe();
      resolve(ids);
    });
  });
}
