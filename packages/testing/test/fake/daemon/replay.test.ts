import type { Transport } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { FakeDaemon, type RecordedFrame } from "../../../src/index.js";
import { RawClient } from "../../raw-client.js";

/** A daemon whose connections are written down. */
function recorded(daemon: FakeDaemon): { daemon: Pick<FakeDaemon, "dial">; frames: RecordedFrame[] } {
  const frames: RecordedFrame[] = [];
  const note = (direction: RecordedFrame["direction"], text: string) =>
    void frames.push({ at: frames.length, direction, frame: JSON.parse(text) as Record<string, unknown> });
  const dial: FakeDaemon["dial"] = async (request) => {
    const inner = await daemon.dial(request);
    const outer = Object.create(inner) as Transport;
    outer.send = (text) => {
      note("to-daemon", text);
      return inner.send(text);
    };
    Object.defineProperty(outer, "onMessage", {
      set: (handler: (text: string) => void) => {
        inner.onMessage = (text) => {
          note("to-client", text);
          handler(text);
        };
      },
    });
    return outer;
  };
  return { daemon: { dial }, frames };
}

/** A short life: a session, a turn with a question, a look at the history. */
async function live(daemon: Pick<FakeDaemon, "dial">, messageId: string): Promise<RawClient> {
  const client = await RawClient.connect(daemon);
  const sessionId = await client.create({ inbox: true });
  await client.call("add_user_message", { sessionId, text: "go", messageId });
  const asked = await client.waitFor(({ type }) => type === "request");
  client.respond(asked.id, { selectedOption: "proceed_once" });
  await client.waitForIdle();
  await client.call("load_session", { sessionId, token: "t" });
  return client;
}

async function record(): Promise<{ frames: RecordedFrame[]; story: string[] }> {
  const original = new FakeDaemon();
  original
    .whenPrompted("go")
    .callsTool({ name: "Execute", needsPermission: true, result: "ok" })
    .streams(["Do", "ne."]);
  const { daemon, frames } = recorded(original);
  const client = await live(daemon, "m-1");
  return { frames, story: client.story };
}

test("a replay tells a client what the recorded one heard, with the ids that this one made", async () => {
  const { frames, story } = await record();
  const daemon = new FakeDaemon({ plain: true });
  daemon.replays(frames.map((frame) => JSON.stringify(frame)).join("\n"));
  for (const messageId of ["m-2", "m-3"]) {
    const client = await live(daemon, messageId);
    expect(client.story).toEqual(story);
    const end = await client.waitForNotification("agent_turn_completed");
    expect(end.params?.notification?.turnId).toBe(messageId);
    expect(JSON.stringify(client.frames)).not.toContain('"m-1"');
  }
  expect(daemon.responses.every(({ accepted }) => accepted)).toBe(true);
});

test("nothing is told before the client has said what the recorded one said before it", async () => {
  const { frames } = await record();
  const daemon = new FakeDaemon();
  daemon.replays(frames);
  const client = await RawClient.connect(daemon);
  const sessionId = await client.create();
  await client.call("add_user_message", { sessionId, text: "go" });
  await client.waitFor(({ type }) => type === "request");
  await client.call("ping");
  expect(client.story.at(-1)).toBe("request:daemon.request_permission");
});

test("a request that the recording does not have is refused with what it still waits for", async () => {
  const { frames } = await record();
  const daemon = new FakeDaemon();
  daemon.replays(frames);
  const client = await RawClient.connect(daemon);
  const refused = await client.call("fork_session");
  expect(refused.error?.message).toContain(
    "no (other) fork_session. What it still waits for: request initialize_session",
  );
});

test("a line that is no frame is named", () => {
  const daemon = new FakeDaemon();
  const good = JSON.stringify({ at: 1, direction: "to-client", frame: {} });
  expect(() => daemon.replays(`${good}\n\n{"at":1}`)).toThrow("Line 3 of the recording");
  expect(() => daemon.replays("nonsense")).toThrow("Line 1 of the recording");
});
