import type { Dial, Transport } from "@daemon-sdk/protocol";
import { FakeClock, FakeDaemon } from "@daemon-sdk/testing";
import { expect, test } from "vitest";
import { type ConnectionStatus, connectDaemon } from "../../src/index.js";
import { resultOf } from "../support.js";

const WORDS = 60;
const WORDS_PER_LINK = 3;

/** A link that breaks after that many words, and until then answers nobody who attaches that session. */
function short(inner: Transport, quietSession: string, words: number, cut: () => void): Transport {
  const quiet = new Set<string>();
  let left = words;
  const outer: Transport = {
    bufferedBytes: 0,
    onMessage: undefined,
    onWritable: undefined,
    onClose: undefined,
    send: (text) => {
      const { id, params } = JSON.parse(text);
      if (params?.sessionId === quietSession) quiet.add(id);
      return inner.send(text);
    },
    close: (code, reason) => inner.close(code, reason),
    terminate: () => inner.terminate(),
  };
  inner.onMessage = (text) => {
    const { id, type } = JSON.parse(text);
    if (left === 0 || (type === "response" && quiet.has(id))) return;
    outer.onMessage?.(text);
    if (type === "notification" && --left === 0) queueMicrotask(cut);
  };
  inner.onClose = (event) => outer.onClose?.(event);
  return outer;
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

test("as long as each link brings something, one that breaks again is a new loss, and not one more failure (F2)", async () => {
  const clock = new FakeClock();
  // One word a message: a link of so many messages brings so many words.
  const daemon = new FakeDaemon({ clock, without: ["batches"] });
  let quietSession: string | undefined;
  const dial: Dial = async (request) => {
    const link = await daemon.dial(request);
    return quietSession === undefined ? link : short(link, quietSession, WORDS_PER_LINK, () => daemon.cut());
  };
  const statuses: ConnectionStatus[] = [];
  const onStatus = (status: ConnectionStatus) => void statuses.push(status);
  const reconnect = { maxAttempts: 3, maxElapsedMs: 1_000 };
  await using connection = await connectDaemon({ transport: dial, apiKey: "fk-test", clock, onStatus, reconnect });
  const gate = withResolvers();
  daemon.onPrompt(async (prompt) => {
    await gate.promise;
    for (let word = 0; word < WORDS; word += 1) prompt.delta(`${word} `);
  });
  const talking = await connection.createSession();
  quietSession = (await connection.createSession()).sessionId;
  const result = resultOf(talking.stream("hi"));
  await clock.settle();
  daemon.cut();
  gate.resolve();
  const isBack = () => statuses.filter(({ type }) => type === "connected").length > 1;
  for (let links = 0; links < WORDS / WORDS_PER_LINK; links += 1) await clock.advanceToNext();
  expect(isBack()).toBe(false);
  quietSession = undefined;
  for (let steps = 0; !isBack() && steps < 10; steps += 1) await clock.advanceToNext();
  expect((await result).subtype).toBe("success");
  const attempts = statuses.flatMap((status) => (status.type === "reconnecting" ? status.attempt : []));
  expect(attempts.length).toBeGreaterThan(WORDS / WORDS_PER_LINK / 2);
  expect(new Set(attempts)).toEqual(new Set([1]));
});
