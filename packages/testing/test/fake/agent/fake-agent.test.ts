import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { FakeAgent, FakeClock } from "../../../src/index.js";
import { runFakeAgent } from "../../../src/node.js";

interface AgentFrame {
  readonly type: string;
  readonly id?: string;
  readonly method?: string;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number };
  readonly params?: Record<string, unknown> & { readonly notification?: Record<string, unknown> & { type: string } };
}

/** The daemon's side of an agent: writes requests, stores received frames. */
function driven(agent = new FakeAgent()) {
  const frames: AgentFrame[] = [];
  agent.onLine = (line) => frames.push(JSON.parse(line) as AgentFrame);
  const send = (body: object) => agent.write(JSON.stringify({ jsonrpc: "2.0", factoryApiVersion: "1.0.0", ...body }));
  const call = (method: string, params: object = {}, id = method) => {
    send({ type: "request", id, method: `droid.${method}`, params });
    return frames.find((frame) => frame.type === "response" && frame.id === id);
  };
  const types = () => frames.flatMap(({ params }) => params?.notification?.type ?? []);
  return { agent, frames, send, call, types };
}

const settle = () => new FakeClock().settle();

test("an agent opens, works a turn in its order, and answers what it does not know with -32601", async () => {
  const { agent, frames, call, types } = driven();
  agent.whenPrompted("hi").streams(["Hel", "lo"]);
  expect(call("initialize_session", { sessionId: "s-1", cwd: "/" })?.result).toMatchObject({
    sessionId: "s-1",
    session: { messages: [] },
    settings: { modelId: "fake-model" },
  });
  expect(call("add_user_message", { text: "hi", messageId: "m-1" })?.result).toEqual({});
  await settle();
  const answered = frames.findIndex(({ id }) => id === "add_user_message");
  expect(frames.slice(0, answered).some(({ params }) => params?.notification)).toBe(false);
  expect(types()).toEqual([
    "droid_working_state_changed",
    "create_message",
    "assistant_text_delta",
    "assistant_text_delta",
    "assistant_text_complete",
    "create_message",
    "session_token_usage_changed",
    "agent_turn_completed",
    "droid_working_state_changed",
  ]);
  expect(frames.at(-2)?.params).toMatchObject({
    sessionId: "s-1",
    notification: { turnId: "m-1", reason: "completed" },
  });
  expect(call("fork_session")?.error?.code).toBe(-32_601);
  expect(agent.received.prompts()).toMatchObject([{ text: "hi" }]);
});

test("an agent asks its daemon, and goes on with the answer; anything but a clear yes is a no", async () => {
  for (const [answer, text] of [
    [{ selectedOption: "proceed_once" }, "yes"],
    [{ selectedOption: "of_somebody_else" }, "no"],
  ] as const) {
    const { agent, frames, call, send } = driven();
    agent
      .whenPrompted()
      .asks({ tool: "Execute", input: { command: "ls" } })
      .thenIf(
        "proceed_once",
        (yes) => yes.streams("yes"),
        (no) => no.streams("no"),
      );
    call("initialize_session", {});
    call("add_user_message", { text: "go" });
    await settle();
    const asked = frames.find(({ method }) => method === "droid.request_permission");
    send({ type: "response", id: asked?.id, result: answer });
    await settle();
    expect(frames.flatMap(({ params }) => params?.notification?.textDelta ?? [])).toEqual([text]);
  }
});

test("an interrupt ends the turn as cancelled and closes what was asked; the next prompt follows", async () => {
  const { agent, frames, call, types } = driven();
  agent.whenPrompted("ask").asks({ tool: "Execute" });
  call("initialize_session", {});
  call("add_user_message", { text: "ask", messageId: "m-1" }, "1");
  call("add_user_message", { text: "more", messageId: "m-2" }, "2");
  await settle();
  expect(call("interrupt_session")?.result).toEqual({});
  await settle();
  expect(types()).toContain("permission_resolved");
  const ends = frames.flatMap(({ params }) =>
    params?.notification?.type === "agent_turn_completed" ? [params.notification] : [],
  );
  expect(ends).toMatchObject([
    { turnId: "m-1", reason: "cancelled" },
    { turnId: "m-2", reason: "completed" },
  ]);
});

test("lines that are no frames are kept, and an agent can print nonsense itself", () => {
  const agent = new FakeAgent();
  const lines: string[] = [];
  agent.onLine = (line) => lines.push(line);
  agent.write("{");
  agent.say("Debugger attached.");
  expect([agent.badLines, lines]).toEqual([["{"], ["Debugger attached."]]);
});

test("as a program it reads lines, however they are cut, and is done when its stdin ends", async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const done = runFakeAgent(new FakeAgent(), { input, output });
  const frame = {
    jsonrpc: "2.0",
    factoryApiVersion: "1.0.0",
    type: "request",
    id: "1",
    method: "droid.initialize_session",
  };
  const line = JSON.stringify({ ...frame, params: { sessionId: "s" } });
  input.write(line.slice(0, 20));
  input.end(`${line.slice(20)}\n`);
  await done;
  expect(JSON.parse(String(output.read()).trim())).toMatchObject({ id: "1", result: { session: { messages: [] } } });
});
