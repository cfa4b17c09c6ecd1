import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { processState } from "../agents/agent-harness.js";
import { WireAgent } from "./wire-agent.js";

const cwd = tmpdir();

describe("faults are answered as docs/wire/agent-stdio.md#faults says", () => {
  test.each([
    ["no JSON", "hello", -32_700],
    ["no object", "[1]", -32_700],
    ["no envelope", '{"jsonrpc":"2.0","id":"1","method":"droid.list_skills"}', -32_700],
    [
      "a numeric id",
      '{"jsonrpc":"2.0","factoryApiVersion":"1.0.0","type":"request","id":1,"method":"droid.list_skills","params":{}}',
      -32_700,
    ],
  ])("%s: -32700, with a null id", async (_, line, code) => {
    await using agent = new WireAgent();
    agent.write(line);
    expect(await agent.until(({ type }) => type === "response")).toMatchObject({ id: null, error: { code } });
    agent.request("i", "initialize_session", { cwd });
    expect(await agent.response("i")).toHaveProperty("result");
    expect(agent.frames.filter(({ type, error }) => type === "response" && error !== undefined)).toHaveLength(1);
  });

  test.each([
    ["an unknown method", "make_coffee", {}, -32_601],
    ["text that is no text", "add_user_message", { text: 5 }, -32_602],
    ["no text", "add_user_message", {}, -32_602],
    ["images that are no list", "add_user_message", { text: "x", images: {} }, -32_602],
    ["another session", "add_user_message", { text: "x", sessionId: "other" }, -32_004],
    ["a title that is no text", "rename_session", { title: null }, -32_602],
    ["a message that is not there", "get_rewind_info", { messageId: "none" }, -32_602],
    ["a second session in one process", "initialize_session", { sessionId: "two", cwd }, -32_603],
  ])("%s: `%s` %j → %i", async (_, method, params, code) => {
    await using agent = new WireAgent();
    agent.request("i", "initialize_session", { sessionId: "one", cwd });
    agent.request("x", method, params);
    expect(await agent.response("x")).toMatchObject({ error: { code } });
  });

  test.each([
    ["initialize_session", {}, -32_602],
    ["initialize_session", { cwd: "/no/such/place" }, -32_603],
    ["load_session", { sessionId: "never" }, -32_004],
    ["add_user_message", { text: "x" }, -32_004],
    ["interrupt_session", {}, -32_004],
  ])("without a session: `%s` %j → %i", async (method, params, code) => {
    await using agent = new WireAgent();
    agent.request("x", method, params);
    expect(await agent.response("x")).toMatchObject({ error: { code } });
  });

  test("a request for a session that is being opened waits for it", async () => {
    await using agent = new WireAgent();
    agent.request("i", "initialize_session", { cwd });
    agent.request("p", "add_user_message", { text: "say hi" });
    expect(await agent.response("p")).toHaveProperty("result");
  });

  test("initialize_session with the same id again is answered with the same session", async () => {
    await using agent = new WireAgent();
    agent.request("i", "initialize_session", { sessionId: "one", cwd });
    agent.request("j", "initialize_session", { sessionId: "one", cwd });
    expect(await agent.response("j")).toHaveProperty("result.settings");
  });
});

describe("the order of the wire", () => {
  test("the acknowledgement comes before anything of the turn, completion before idle", async () => {
    await using agent = new WireAgent();
    agent.request("i", "initialize_session", { cwd });
    agent.request("p", "add_user_message", { text: "say hi", messageId: "m1" });
    const isIdle = ({ params }: { params?: { notification?: { [key: string]: unknown } } }) =>
      params?.notification?.newState === "idle";
    await agent.until(isIdle);
    const names = agent.frames.map(({ id, params }) => id ?? params?.notification?.type);
    expect(names.indexOf("p")).toBeLessThan(names.indexOf("droid_working_state_changed"));
    expect(names.slice(-2)).toEqual(["agent_turn_completed", "droid_working_state_changed"]);
    const done = agent.frames.at(-2)?.params?.notification;
    expect(done).toMatchObject({ reason: "completed", turnId: "m1" });
    for (const frame of agent.frames) expect(frame).toMatchObject({ factoryProtocolVersion: expect.any(String) });
  });

  test("settings and MCP state are told before the response to initialize_session", async () => {
    await using agent = new WireAgent();
    agent.request("i", "initialize_session", { cwd });
    await agent.response("i");
    expect(agent.frames.map(({ id, params }) => id ?? params?.notification?.type)).toEqual([
      "mcp_status_changed",
      "settings_updated",
      "i",
    ]);
  });
});

describe("the end", () => {
  test("comes soon after the end of stdin, in the middle of a turn, and takes a running command along", async () => {
    await using agent = new WireAgent();
    agent.request("i", "initialize_session", { cwd, autonomyLevel: "high" });
    agent.request("p", "add_user_message", { text: "run trap '' TERM; echo $$; while true; do sleep 1000; done" });
    const progress = await agent.until(({ params }) => params?.notification?.type === "tool_progress_update");
    const pid = Number.parseInt(JSON.stringify(progress.params?.notification?.update).replace(/\D+/, ""), 10);
    agent.child.stdin.end();
    // The command would take 1000 s.
    expect(await agent.exited).toBe(0);
    expect([undefined, "Z"]).toContain(await processState(pid));
  });

  test("comes by itself after close_session, which is answered; what is sent behind it is not", async () => {
    await using agent = new WireAgent();
    agent.request("i", "initialize_session", { cwd });
    await agent.response("i");
    agent.request("c", "close_session", { reason: "other" });
    agent.request("p", "add_user_message", { text: "say hi" });
    expect(await agent.exited).toBe(0);
    expect(agent.frames.at(-1)).toMatchObject({ type: "response", id: "c", result: {} });
  });

  test("comes when nobody reads its output any more", async () => {
    await using agent = new WireAgent();
    agent.request("i", "initialize_session", { cwd });
    await agent.response("i");
    agent.request("p", "add_user_message", { text: "stream 100000000 of 300" });
    agent.child.stdout.destroy();
    agent.child.stdin.end();
    expect(await agent.exited).toBe(0);
  });
});

test("a stream that nobody reads waits in the pipe, not in memory", async () => {
  await using agent = new WireAgent();
  agent.request("i", "initialize_session", { cwd });
  await agent.response("i");
  const rss = async () =>
    Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${agent.child.pid}/status`, "utf8"))?.[1]) / 1024;
  const before = await rss();
  agent.request("p", "add_user_message", { text: "stream 100000 of 300" });
  await agent.until(({ params }) => params?.notification?.type === "assistant_text_delta");
  agent.child.stdout.pause();
  await asleep(agent.child.pid);
  expect(await rss()).toBeLessThan(before + 32);
  agent.child.stdout.resume();
  const done = await agent.until(({ params }) => params?.notification?.type === "agent_turn_completed");
  expect(done.params?.notification).toMatchObject({ reason: "completed" });
  const deltas = agent.frames.filter(({ params }) => params?.notification?.type === "assistant_text_delta");
  expect(deltas).toHaveLength(100_000);
  // Node warns there of a listener that is added at each wait and never removed.
  expect(agent.stderr).toBe("");
});

/** Waits until a process that has work is asleep all the same; the system tells nobody when, so it is looked at. */
async function asleep(pid: number | undefined): Promise<void> {
  let last = "";
  for (;;) {
    const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ").at(-1)?.split(" ") ?? [];
    // Its state, and the CPU time it has had: one that only waits for its turn on a busy machine is not asleep.
    const now = [fields[0], fields[11], fields[12]].join();
    if (now === last && fields[0] === "S") return;
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
