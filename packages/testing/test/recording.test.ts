import type { Dial } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { FakeDaemon, memoryTransport, recordTransport, runContract, transportContract } from "../src/index.js";
import { RawClient } from "./raw-client.js";

const bounds = { highWaterBytes: 64 * 1024, maxMessageBytes: 256 * 1024 };
const SECRET = "a-secret-key";

/** Runs one turn against a daemon, recorded: the recording, and what the client was told. */
async function recorded(daemon: FakeDaemon, text: string) {
  const lines: string[] = [];
  const dial: Dial = async (request) => recordTransport(await daemon.dial(request), (line) => lines.push(line));
  const client = await RawClient.connect({ dial } as FakeDaemon, SECRET);
  const sessionId = await client.create();
  await client.call("add_user_message", { sessionId, text, messageId: `m-${text}` });
  await client.waitForIdle();
  return { recording: lines.join("\n"), story: client.story };
}

test("a recorded session is replayed as it was, and its recording holds no credential", async () => {
  const daemon = new FakeDaemon();
  daemon.onPrompt((prompt) => {
    const id = prompt.toolCall("Read", { path: "notes.md" });
    prompt.toolResult(id, "42");
    for (const word of ["The answer ", "is 42."]) prompt.delta(word);
    prompt.message();
  });
  const first = await recorded(daemon, "what is it?");
  expect(first.recording).not.toContain(SECRET);
  expect(first.recording).toContain('"apiKey":"[redacted]"');

  const again = new FakeDaemon();
  again.replays(first.recording);
  const second = await recorded(again, "what is it?");
  expect(second.story).toEqual(first.story);
  expect(second.story).toContain("tool_result");
});

test("what was no JSON is in the recording as it stood", async () => {
  const lines: string[] = [];
  const { near, far } = memoryTransport(bounds);
  const heard = new Promise((resolve) => {
    far.onMessage = resolve;
  });
  recordTransport(near, (line) => lines.push(line), { now: () => 0 }).send("{");
  await heard;
  expect(lines).toEqual(['{"at":0,"direction":"to-daemon","frame":{"raw":"{"}}']);
});

test("a transport that is recorded keeps every law of transports", async () => {
  const connect = async () => {
    const { near, far, cut } = memoryTransport(bounds);
    return { near: recordTransport(near, () => {}), far, cut };
  };
  const results = await runContract(transportContract, { ...bounds, connect });
  expect(results.filter(({ outcome }) => outcome !== "passed")).toEqual([]);
});
