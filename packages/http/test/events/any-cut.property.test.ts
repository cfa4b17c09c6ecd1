import { MessageBridge, type SessionNotification } from "@daemon-sdk/client";
import type { FakePrompt, FakeSession } from "@daemon-sdk/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createHttpHandler, type HttpHandler } from "../../src/index.js";
import { Follower } from "../support/follower.js";
import { byName, openGateway } from "../support/gateway.js";
import type { SentEvent } from "../support/read-events.js";

const disturbance = fc.constantFrom("nothing", "cut", "restart");

const turn = fc.record({
  pieces: fc.integer({ min: 0, max: 30 }),
  usesTool: fc.boolean(),
  inside: disturbance,
  after: disturbance,
  from: fc.nat(),
});

const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 20_000 })), {
  maxLength: 12,
});

type Turn = typeof turn extends fc.Arbitrary<infer One> ? One : never;

test("wherever a stream is cut and whatever is restarted, Last-Event-ID gives each event once, at its position, to every follower alike", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 3 }), cuts, cuts, cuts, async (script, ...cut) => {
      await using gateway = await openGateway();
      const on = gateway.daemon.addSession();
      let handler: HttpHandler = gateway.handler;
      const disturb = async (what: Turn["inside"]) => {
        if (what === "cut") gateway.daemon.cut();
        if (what === "restart") gateway.daemon.restart();
        // The gateway keeps nothing: another one goes on where this one stopped.
        if (what === "restart") handler = createHttpHandler(gateway.connection, { authorize: byName });
        await new Promise((resolve) => setImmediate(resolve));
      };
      let next = script[0] as Turn;
      gateway.daemon.onPrompt((prompt) => play(prompt, next, disturb));
      const follower = (partial: boolean, cuts: readonly number[] = [], after = "1.0") =>
        new Follower({ handler: () => handler, sessionId: on.id, after, partial, cuts });
      const live = [follower(true, cut[0]), follower(true, cut[1]), follower(false, cut[2])] as const;
      for (next of script) {
        const { messageId } = await gateway.connection.send(on.id, "go");
        await gateway.connection.waitForReceipt(on.id, messageId);
        await disturb(next.after);
        const isEnd = ({ event, data }: SentEvent) => event === "result" && Object(data).turnId === messageId;
        await Promise.all(live.map((one) => one.until(isEnd)));
      }
      const [one, other, whole] = live.map(({ events }) => events.map(word));
      const words = expected(on).slice(0, one?.length);
      expect(words.at(-1)).toMatch(/^result /);
      expect(one).toEqual(words);
      expect(other).toEqual(words);
      expect(whole).toEqual(words.filter((text) => /^(user|assistant|tool_call|tool_result|result) /.test(text)));
      for (const { from } of script) {
        const index = from % (words.length - 1);
        const rest = follower(true, [], live[0].events[index]?.id);
        await rest.until((event) => word(event) === words.at(-1));
        expect(rest.events.map(word)).toEqual(words.slice(index + 1));
      }
    }),
    { numRuns: 40 },
  );
});

function word({ id, event }: SentEvent): string {
  return `${event} ${id}`;
}

/** Type and id of each event that the journal's entries stand for. */
function expected({ journal }: FakeSession): string[] {
  const bridge = new MessageBridge({ includePartialMessages: true });
  const words: string[] = [];
  for (let seq = 1; ; seq++) {
    const entry = journal.entry(seq);
    if (entry === undefined) return words;
    const { notification } = entry.params as { notification?: SessionNotification };
    if (notification === undefined) continue;
    const types = bridge.push(notification).map(({ type }) => type as string);
    if (notification.type === "agent_turn_completed") types.push("result");
    const { epoch } = entry.position;
    types.forEach((type, index) => {
      words.push(index === types.length - 1 ? `${type} ${epoch}.${seq}` : `${type} ${epoch}.${seq - 1}.${index + 1}`);
    });
  }
}

async function play(
  prompt: FakePrompt,
  { pieces, usesTool, inside }: Turn,
  disturb: (what: Turn["inside"]) => Promise<void>,
) {
  for (let piece = 0; piece < pieces; piece++) {
    // Characters of several bytes: a cut may fall into one.
    prompt.delta(`${piece} ä🙂\n`);
    if (piece === 15) await disturb(inside);
  }
  if (prompt.isEnded) return;
  if (usesTool) prompt.toolResult(prompt.toolCall("Execute", { command: "true" }), "done");
  prompt.message();
}
