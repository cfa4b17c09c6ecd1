import { newId } from "@daemon-sdk/protocol";
import { expectEqual, expectThat } from "../expectation.js";
import { isEndOf, type WireFrame, wordFor } from "../wire-frame.js";
import { daemonCase, type OpenedSession } from "./daemon-bench.js";
import type { DaemonCase } from "./daemon-harness.js";
import { interrupted, showsMessage, timesEnded, timesShown } from "./turn-marks.js";

/** docs/protocol.md §7: the turn of a message, its one end, and repeated messages. */
export const TURN_CASES: readonly DaemonCase[] = [
  daemonCase("P7.1-acknowledged", "a message is acknowledged at once, and not when its turn ends", async (bench) => {
    const opened = await bench.session();
    const messageId = newId();
    const params = { sessionId: opened.sessionId, text: bench.prompts.endless, messageId };
    expectEqual(await opened.client.result("add_user_message", params), {}, "the result");
    await interrupted(bench, opened, messageId);
  }),

  daemonCase(
    "P7.2-order",
    "a turn is told in its order, from the first state to idle",
    async (bench) => {
      const opened = await bench.session();
      const messageId = await bench.turn(opened, bench.prompts.say("in order"));
      await idleAfter(opened, messageId);
      const words = entriesFrom(opened, messageId).map(wordFor);
      const order = ["create_message", "assistant_text_delta", "assistant_text_complete", "create_message"];
      expectEqual(
        inOrder(words, [...order, "agent_turn_completed", "state:idle"]),
        true,
        `the order of ${words.join(" ")}`,
      );
      expectThat(!words.slice(0, -1).includes("state:idle"), "the turn was idle before its end");
    },
    ["turns"],
  ),

  daemonCase(
    "P7.3-text",
    "the pieces of an answer, joined, are the text of its message",
    async (bench) => {
      const opened = await bench.session();
      const messageId = await bench.turn(opened, bench.prompts.stream(200));
      const told = entriesFrom(opened, messageId).flatMap(({ params }) => params?.notification ?? []);
      const pieces = told.filter(({ type }) => type === "assistant_text_delta").map(({ textDelta }) => textDelta);
      const messages = told
        .filter(({ type }) => type === "create_message")
        .map(({ message }) => JSON.stringify(message));
      expectThat(pieces.length >= 200, `the answer came in ${pieces.length} pieces`);
      expectThat(messages.at(-1)?.includes(JSON.stringify(pieces.join(""))) === true, "the message has another text");
    },
    ["turns"],
  ),

  daemonCase(
    "P7.4-once",
    "the same message again is acknowledged again, and acted on once",
    async (bench) => {
      const opened = await bench.session();
      const { client, sessionId } = opened;
      const message = { sessionId, text: bench.prompts.say("once"), messageId: newId() };
      await client.result("add_user_message", message);
      await client.result("add_user_message", message);
      await client.turnEnd(message.messageId);
      await client.result("add_user_message", message);
      await bench.turn(opened, bench.prompts.say("after it"));
      expectEqual(timesShown(opened, message.messageId), 1, "turns of the message");
    },
    ["turns"],
  ),

  daemonCase(
    "P7.5-used-id",
    "another content under a used messageId is refused with -32602",
    async (bench) => {
      const opened = await bench.session();
      const messageId = await bench.turn(opened, bench.prompts.say("first"));
      const again = { sessionId: opened.sessionId, text: bench.prompts.say("second"), messageId };
      expectEqual(await opened.client.codeOf("add_user_message", again), -32_602, "the code");
    },
    ["turns"],
  ),

  daemonCase(
    "P7.6-queue",
    "messages wait for each other, in the order of arrival",
    async (bench) => {
      const opened = await bench.session();
      const ids: string[] = [];
      for (const word of ["one", "two", "three"]) ids.push(await bench.prompt(opened, bench.prompts.say(word)));
      await opened.client.turnEnd(ids.at(-1) ?? "");
      const told = opened.client.entries(opened.sessionId).flatMap((frame) => milestoneOf(ids, frame));
      expectEqual(
        told,
        ids.flatMap((id) => [`begin ${id}`, `end ${id}`]),
        "beginnings and ends",
      );
    },
    ["turns"],
  ),

  daemonCase(
    "P7.7-one-end",
    "each message ends once, by its own id and a reason, and idle follows",
    async (bench) => {
      const opened = await bench.session();
      const messageId = await bench.turn(opened, bench.prompts.say("done"));
      await idleAfter(opened, messageId);
      await bench.turn(opened, bench.prompts.say("another"));
      const ends = opened.client.entries(opened.sessionId).filter((frame) => isEndOf(messageId, frame));
      expectEqual(
        ends.map(({ params }) => params?.notification?.reason),
        ["completed"],
        "reasons of its ends",
      );
    },
    ["turns"],
  ),

  daemonCase(
    "P7.8-idle-between",
    "idle follows each end, also when other messages wait",
    async (bench) => {
      const opened = await bench.session();
      const first = await bench.prompt(opened, bench.prompts.stream(100));
      const second = await bench.prompt(opened, bench.prompts.say("next"));
      await opened.client.turnEnd(second);
      const words = entriesFrom(opened, first).map(wordFor);
      const end = words.indexOf("agent_turn_completed");
      expectEqual(words[end + 1], "state:idle", "what follows the first end");
    },
    ["turns"],
  ),

  daemonCase(
    "P7.9-interrupt",
    "interrupt_session ends the running turn and what waits behind it, all as cancelled",
    async (bench) => {
      const opened = await bench.session();
      const running = await bench.prompt(opened, bench.prompts.endless);
      const waiting = await bench.prompt(opened, bench.prompts.say("next"));
      const { params } = await interrupted(bench, opened, running);
      expectEqual(params?.notification?.reason, "cancelled", "the reason");
      const end = await opened.client.turnEnd(waiting);
      expectEqual(end.params?.notification?.reason, "cancelled", "the reason of the message behind it");
      await bench.turn(opened, bench.prompts.say("and on"));
    },
    ["turns"],
  ),

  daemonCase("P7.10-nothing-to-interrupt", "interrupt_session is {} also when nothing runs", async (bench) => {
    const { client, sessionId } = await bench.session();
    expectEqual(await client.result("interrupt_session", { sessionId }), {}, "the result");
  }),

  daemonCase(
    "P7.11-direct-interrupt",
    "interrupt_session works from a connection that has not loaded the session",
    async (bench) => {
      const opened = await bench.session();
      const messageId = await bench.prompt(opened, bench.prompts.endless);
      const stranger = await bench.client();
      await stranger.result("interrupt_session", { sessionId: opened.sessionId });
      await opened.client.turnEnd(messageId);
    },
    ["turns", "directInterrupt"],
  ),

  daemonCase(
    "P7.18-named-interrupt",
    "an interrupt that names a message acts while its turn runs or waits, and never on another one",
    async (bench) => {
      const opened = await bench.session();
      const { client, sessionId } = opened;
      const ended = await bench.turn(opened, bench.prompts.say("over"));
      const running = await bench.prompt(opened, bench.prompts.endless);
      const waiting = await bench.prompt(opened, bench.prompts.say("next"));
      const last = await bench.prompt(opened, bench.prompts.say("last"));
      for (const messageId of [waiting, ended, newId()]) {
        expectEqual(await client.result("interrupt_session", { sessionId, messageId }), {}, "the result");
      }
      await client.turnEnd(waiting);
      expectEqual(
        [running, last].map((id) => timesEnded(opened, id)),
        [0, 0],
        "ends of the others",
      );
      expectEqual(await client.result("interrupt_session", { sessionId, messageId: running }), {}, "the result");
      for (const id of [running, last]) {
        expectEqual((await client.turnEnd(id)).params?.notification?.reason, "cancelled", "the reason");
      }
    },
    ["turns", "turnInterrupt"],
  ),

  daemonCase(
    "P7.20-queued-bytes",
    "a prompt with which too many bytes of one key would wait is refused, and taken when others have ended",
    async (bench) => {
      const [, key] = bench.harness.keys ?? [];
      const most = bench.harness.queuedBytes ?? 0;
      const opened = await bench.session({ client: await bench.client(key) });
      const { client, sessionId } = opened;
      const running = await bench.prompt(opened, bench.prompts.endless);
      const half = bench.prompts.say("x".repeat(Math.ceil(most / 2)));
      const waiting = await bench.prompt(opened, half);
      const refused = { sessionId, text: half, messageId: newId() };
      const { code, message = "", data } = (await client.call("add_user_message", refused)).error ?? {};
      expectEqual([code, data?.code], [-32_603, "QUEUE_FULL"], "the error of a prompt over the bound");
      const isNamed = ["queuedBytes", String(most)].every((word) => message.includes(word));
      expectThat(isNamed, `the message does not name queuedBytes and ${most}: ${message}`);
      await client.result("interrupt_session", { sessionId });
      for (const id of [running, waiting]) await client.turnEnd(id);
      expectEqual(
        await client.codeOf("add_user_message", refused),
        undefined,
        "the code of the same prompt afterwards",
      );
      await client.turnEnd(refused.messageId);
    },
    ["turns", "directInterrupt", "keys", "queued-bytes"],
  ),
];

type Opened = Pick<OpenedSession, "client" | "sessionId">;

/** Waits for the `idle` that must follow a turn's end. */
async function idleAfter({ client }: Opened, messageId: string): Promise<void> {
  const end = client.frames.findIndex((frame) => isEndOf(messageId, frame));
  await client.waitFor((frame) => wordFor(frame) === "state:idle", "idle after the end", end);
}

/** Entries from the `create_message` of the user's message on. */
function entriesFrom({ client, sessionId }: Opened, messageId: string): WireFrame[] {
  const entries = client.entries(sessionId);
  return entries.slice(entries.findIndex(({ params }) => showsMessage(messageId, params?.notification)));
}

function milestoneOf(ids: readonly string[], frame: WireFrame): string[] {
  return ids.flatMap((id) => {
    if (showsMessage(id, frame.params?.notification)) return [`begin ${id}`];
    return isEndOf(id, frame) ? [`end ${id}`] : [];
  });
}

/** Whether the words occur in that order, with others between them. */
function inOrder(words: readonly string[], wanted: readonly string[]): boolean {
  let next = 0;
  for (const word of words) if (word === wanted[next]) next++;
  return next === wanted.length;
}
