import type { FakePrompt } from "@daemon-sdk/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { FollowedEvent } from "../../../src/index.js";
import { expected, until, watched, word } from "./support.js";

/** What happens between two prompts, or inside a turn. */
const disturbance = fc.constantFrom("nothing", "cut", "restart", "tick");

const turn = fc.record({
  pieces: fc.integer({ min: 0, max: 40 }),
  usesTool: fc.boolean(),
  asks: fc.boolean(),
  inside: disturbance,
  after: disturbance,
  from: fc.nat(),
});

test("whatever is cut or restarted, a follow from any position yields the journal after it, in order, once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 4 }), async (script) => {
      const { daemon, connection, on, sessionId } = await watched();
      const disturb = async (what: (typeof script)[number]["inside"]) => {
        if (what === "cut") daemon.cut();
        if (what === "restart") daemon.restart();
        await new Promise((resolve) => setImmediate(resolve));
      };
      let next = script[0];
      daemon.onPrompt((prompt) => play(prompt, next, disturb));
      const options = { after: { epoch: 1, seq: 0 }, includePartialMessages: true };
      const live = [connection.follow(sessionId, options), connection.follow(sessionId, options)] as const;
      const seen: FollowedEvent[][] = [[], []];
      for (next of script) {
        const { messageId } = await connection.send(sessionId, "go");
        await connection.waitForReceipt(sessionId, messageId);
        await disturb(next.after);
        const isEnd = ({ type, turnId }: FollowedEvent) => type === "result" && turnId === messageId;
        for (const [index, follow] of live.entries()) seen[index]?.push(...(await until(follow, isEnd)));
      }
      const words = expected(on).slice(0, seen[0]?.length);
      expect(words.at(-1)).toMatch(/^result /);
      for (const events of seen) expect(events.map(word)).toEqual(words);
      for (const { from } of script) {
        const index = from % words.length;
        const after = seen[0]?.[index]?.position ?? options.after;
        if (index === words.length - 1) continue;
        const isLast = (event: FollowedEvent) => word(event) === words.at(-1);
        const rest = await until(connection.follow(sessionId, { ...options, after }), isLast);
        expect(rest.map(word)).toEqual(words.slice(index + 1));
      }
      await connection.close();
    }),
    { numRuns: 40 },
  );
});

async function play(
  prompt: FakePrompt,
  turn: { pieces: number; usesTool: boolean; asks: boolean; inside: string } | undefined,
  disturb: (what: never) => Promise<void>,
): Promise<void> {
  const { pieces = 0, usesTool, asks, inside } = turn ?? {};
  for (let piece = 0; piece < pieces; piece++) {
    prompt.delta(`${piece} `);
    if (piece === 20) await disturb(inside as never);
  }
  if (prompt.isEnded) return;
  if (usesTool === true) prompt.toolResult(prompt.toolCall("Execute", { command: "true" }), "done");
  if (asks === true) {
    const questions = [{ index: 1, topic: "Colour", question: "Which?", options: ["red"] }];
    const asked = prompt.askUser({ questions });
    queueMicrotask(() => prompt.end("cancelled"));
    await asked;
  }
  if (!prompt.isEnded) prompt.message();
}
