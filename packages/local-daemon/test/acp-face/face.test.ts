import { ConnectionError, sessionId } from "@daemon-sdk/protocol";
import { describe, expect, test, vi } from "vitest";
import { Valve } from "../sessions/valve.js";
import type { Editor, Frame } from "./editor.js";
import { FaceDesk } from "./face-desk.js";

const PERMISSION = {
  toolUses: [
    {
      toolUse: { type: "tool_use", id: "t-1", name: "Execute", input: { command: "touch x" } },
      confirmationType: "exec",
      details: { type: "exec", fullCommand: "touch x", command: "touch" },
    },
  ],
  options: [
    { label: "Yes", value: "proceed_once" },
    { label: "Always", value: "proceed_always" },
    { label: "Edit", value: "proceed_edit" },
    { label: "No", value: "cancel" },
  ],
};

/** A daemon's end of a wire on which each entry of a journal comes a second time. */
class Twice extends Valve {
  override send(text: string): boolean {
    const isTaken = super.send(text);
    return text.includes('"seq":') && !text.includes('"type":"response"') ? super.send(text) : isTaken;
  }
}

/** A turn that has begun: the agent has the prompt. */
async function begun(desk: FaceDesk) {
  const { id, agent } = await desk.session();
  const prompt = desk.editor.beginPrompt(id, "work");
  await agent.prompted(1);
  agent.started();
  return { id, agent, prompt };
}

const select = (editor: Editor, { id }: Frame, optionId: string) =>
  editor.send({ id, result: { outcome: { outcome: "selected", optionId } } });

describe("a lost link", () => {
  test("is not noticed by the editor: what was sent meanwhile follows, nothing twice", async () => {
    await using desk = await FaceDesk.open();
    const { id, agent, prompt } = await begun(desk);
    agent.delta("one ");
    await desk.editor.when(() => desk.editor.text(id) === "one ");
    desk.cut();
    agent.delta("two ");
    await desk.editor.when(() => desk.editor.text(id) === "one two ");
    agent.delta("three");
    agent.end();
    expect((await desk.editor.answerTo(prompt)).result).toEqual({ stopReason: "end_turn" });
    expect(desk.editor.text(id)).toBe("one two three");
    expect(desk.links).toHaveLength(2);
  });

  test("leaves entries that come a second time: each is sent once", async () => {
    await using desk = await FaceDesk.open({ through: (far) => new Twice(far) });
    const { id, agent, prompt } = await begun(desk);
    for (const text of ["one ", "two ", "three"]) agent.delta(text);
    agent.ask("request_permission", PERMISSION);
    select(desk.editor, await desk.editor.asked("session/request_permission"), "proceed_once");
    agent.end();
    expect((await desk.editor.answerTo(prompt)).result).toEqual({ stopReason: "end_turn" });
    expect(desk.editor.text(id)).toBe("one two three");
    expect(desk.editor.frames.filter(({ method }) => method === "session/request_permission")).toHaveLength(1);
  });

  test("asks no question twice, and an answer that was given meanwhile reaches the agent", async () => {
    await using desk = await FaceDesk.open();
    const { id, agent, prompt } = await begun(desk);
    agent.ask("request_permission", PERMISSION);
    const asked = await desk.editor.asked("session/request_permission");
    desk.failure = new ConnectionError("CONNECTION_FAILED", "no daemon");
    desk.cut();
    agent.delta("meanwhile");
    select(desk.editor, asked, "proceed_once");
    desk.failure = undefined;
    await desk.editor.when(() => desk.editor.text(id) === "meanwhile");
    agent.end();
    await desk.editor.answerTo(prompt);
    expect(agent.answers).toEqual([expect.objectContaining({ selectedOption: "proceed_once" })]);
    expect(desk.editor.frames.filter(({ method }) => method === "session/request_permission")).toHaveLength(1);
  });

  test("after which the journal no longer has the next entry is told as a gap, and the prompt that ended meanwhile ends", async () => {
    await using desk = await FaceDesk.open();
    const { id, agent, prompt } = await begun(desk);
    agent.delta("before ");
    await desk.editor.when(() => desk.editor.text(id) === "before ");
    desk.failure = new ConnectionError("CONNECTION_FAILED", "no daemon");
    desk.cut();
    for (let number = 0; number < 200; number++) agent.delta("lost ");
    agent.end();
    await desk.harness.committer.drain();
    await desk.harness.committer.commit([{ kind: "pruneJournal", sessionId: sessionId(id), beforeSeq: 130 }]);
    desk.failure = undefined;
    expect((await desk.editor.answerTo(prompt)).result).toEqual({ stopReason: "end_turn" });
    expect(desk.editor.text(id)).toBe("before ");
    await desk.editor.updated({ sessionUpdate: "notice", title: "Some updates of this session are missing" });
    expect((await desk.editor.call("session/list", {})).result).toMatchObject({ sessions: [{ sessionId: id }] });
  });

  test("a call without a daemon is answered with the reason, and the next one tries again", async () => {
    await using desk = await FaceDesk.open();
    const { id } = await desk.session();
    desk.failure = new ConnectionError("DAEMON_START_FAILED", "It does not start.");
    desk.cut();
    const refused = await desk.editor.call("session/list", {});
    expect(refused.error).toMatchObject({ code: -32603, data: { code: "DAEMON_START_FAILED" } });
    desk.failure = undefined;
    expect(await desk.editor.result("session/list", {})).toMatchObject({ sessions: [{ sessionId: id }] });
  });
});

describe("an editor that does not read", () => {
  test("is sent one window of a session and no more, and the rest when it reads again", async () => {
    await using desk = await FaceDesk.open();
    const { id, agent, prompt } = await begun(desk);
    desk.isReading = false;
    for (let number = 0; number < 2_000; number++) agent.delta(`${number} `);
    await desk.editor.when(() => desk.editor.updates(id).length >= 200);
    await desk.harness.committer.between(async () => {});
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(desk.editor.updates(id).length).toBeLessThan(300);
    desk.read();
    agent.end();
    await desk.editor.answerTo(prompt);
    const numbers = desk.editor.text(id).trim().split(" ").map(Number);
    expect(numbers).toEqual(Array.from({ length: 2_000 }, (_, place) => place));
  });

  test("has a bounded number of calls: a further one is refused", async () => {
    await using desk = await FaceDesk.open();
    const { id } = await begun(desk);
    for (let number = 0; number < 255; number++) desk.editor.beginPrompt(id, `waits ${number}`);
    const refused = await desk.editor.prompt(id, "one too many");
    expect(refused.error).toMatchObject({ code: -32603, data: { code: "QUEUE_FULL", retryable: true } });
  });
});

test("a conversation that is larger than a snapshot is loaded whole, and waits for the editor", async () => {
  await using desk = await FaceDesk.open();
  const { id, agent, prompt } = await begun(desk);
  const texts = Array.from({ length: 5 }, (_, place) => `${place}${"x".repeat(700_000)}`);
  for (const [place, text] of texts.entries()) agent.message(`a-${place}`, "assistant", text);
  agent.end();
  await desk.editor.answerTo(prompt);
  await desk.editor.result("session/close", { sessionId: id });
  const from = desk.editor.frames.length;
  desk.isReading = false;
  const loading = desk.editor.begin("session/load", { sessionId: id, cwd: "/", mcpServers: [] });
  await desk.editor.when(() => desk.editor.frames.length > from);
  expect(desk.editor.frames.slice(from).map(({ method }) => method)).toEqual(["session/update"]);
  desk.read();
  await desk.editor.answerTo(loading);
  const told = desk.editor.frames.slice(from).flatMap(({ params }) => {
    const { sessionUpdate, content } = (params?.update ?? {}) as { sessionUpdate?: string; content?: { text: string } };
    return sessionUpdate?.endsWith("_message_chunk") === true ? [content?.text.slice(0, 4)] : [];
  });
  expect(told).toEqual(["0xxx", "1xxx", "2xxx", "3xxx", "4xxx"]);
});

describe("questions", () => {
  test("one that another client answered is withdrawn, and a late answer is dropped", async () => {
    await using desk = await FaceDesk.open();
    const { id, agent, prompt } = await begun(desk);
    const other = await desk.harness.connect();
    await other.loadSession(id);
    agent.ask("request_permission", PERMISSION);
    const asked = await desk.editor.asked("session/request_permission");
    const request = await other.request("request_permission");
    other.respond(String(request.id), { selectedOption: "cancel", sessionId: id });
    expect((await desk.editor.asked("$/cancel_request")).params).toEqual({ requestId: asked.id });
    select(desk.editor, asked, "proceed_once");
    agent.end();
    await desk.editor.answerTo(prompt);
    expect(agent.answers).toEqual([expect.objectContaining({ selectedOption: "cancel" })]);
  });

  test("one that the editor cannot show stays for other clients", async () => {
    await using desk = await FaceDesk.open();
    const { id, agent, prompt } = await begun(desk);
    agent.ask("request_permission", PERMISSION);
    const asked = await desk.editor.asked("session/request_permission");
    desk.editor.send({ id: asked.id, error: { code: -32601, message: "Method not found" } });
    const other = await desk.harness.connect();
    const { pendingPermissions } = await other.loadSession(id);
    const [pending] = pendingPermissions as { requestId: string }[];
    other.respond(String(pending?.requestId), { selectedOption: "proceed_once", sessionId: id });
    await other.notified({ type: "permission_resolved" });
    agent.end();
    await desk.editor.answerTo(prompt);
    expect(agent.answers).toEqual([expect.objectContaining({ selectedOption: "proceed_once" })]);
  });

  test("its options are ours by value, and one that needs an edited text is left out", async () => {
    await using desk = await FaceDesk.open();
    const { agent } = await begun(desk);
    agent.ask("request_permission", PERMISSION);
    const { params } = await desk.editor.asked("session/request_permission");
    expect(params?.options).toEqual([
      { optionId: "proceed_once", name: "Yes", kind: "allow_once" },
      { optionId: "proceed_always", name: "Always", kind: "allow_always" },
      { optionId: "cancel", name: "No", kind: "reject_once" },
    ]);
    expect(params?.toolCall).toMatchObject({ toolCallId: "t-1", title: "touch x", kind: "execute" });
  });

  test("one that waits when a session is loaded is asked after the answer", async () => {
    await using desk = await FaceDesk.open();
    const { id, agent } = await begun(desk);
    agent.ask("request_permission", PERMISSION);
    await desk.editor.asked("session/request_permission");
    await desk.editor.result("session/close", { sessionId: id });
    const loading = desk.editor.begin("session/load", { sessionId: id, cwd: "/", mcpServers: [] });
    const asked = await desk.editor.asked("session/request_permission", 2);
    const answer = await desk.editor.answerTo(loading);
    expect(desk.editor.frames.indexOf(answer)).toBeLessThan(desk.editor.frames.indexOf(asked));
    select(desk.editor, asked, "proceed_once");
  });
});

describe("the end of a turn", () => {
  test.each([
    ["completed", {}, { stopReason: "end_turn" }],
    ["completed", { stopReason: "max_tokens" }, { stopReason: "max_tokens" }],
    ["completed", { stopReason: "a word of tomorrow" }, { stopReason: "end_turn" }],
    ["error", { stopReason: "refusal" }, { stopReason: "refusal" }],
    ["cancelled", {}, { stopReason: "cancelled" }],
  ])("%s %o is answered by %o", async (reason, details, result) => {
    await using desk = await FaceDesk.open();
    const { agent, prompt } = await begun(desk);
    agent.end(reason, details);
    expect((await desk.editor.answerTo(prompt)).result).toEqual(result);
  });

  test.each([
    ["error", { message: "The model failed." }, -32603],
    ["model_authentication_failed", { message: "Log in." }, -32000],
    ["agent_exited", { message: "It died." }, -32603],
  ])("%s is an error that says why", async (reason, details, code) => {
    await using desk = await FaceDesk.open();
    const { agent, prompt } = await begun(desk);
    agent.end(reason, details);
    const { error } = await desk.editor.answerTo(prompt);
    expect(error).toMatchObject({ code, message: details.message, data: { reason, turnId: expect.any(String) } });
  });

  test("is answered before anything of the next turn is sent", async () => {
    await using desk = await FaceDesk.open();
    const { id, agent, prompt } = await begun(desk);
    const next = desk.editor.beginPrompt(id, "next");
    agent.onPrompt = () => agent.delta("of the next turn", "a-2");
    agent.delta("of the first turn");
    agent.end();
    await desk.editor.when(() => desk.editor.text(id).includes("next"));
    const order = desk.editor.frames.map((frame) =>
      frame.method === undefined ? `answer ${frame.id}` : JSON.stringify(frame.params),
    );
    const answered = order.indexOf(`answer ${prompt}`);
    expect(answered).toBeGreaterThan(order.findIndex((text) => text.includes("of the first turn")));
    expect(answered).toBeLessThan(order.findIndex((text) => text.includes("of the next turn")));
    agent.end();
    expect((await desk.editor.answerTo(next)).result).toEqual({ stopReason: "end_turn" });
  });

  test("is answered before the next turn, too, when both come in one read", async () => {
    let valve: Valve | undefined;
    await using desk = await FaceDesk.open({
      through: (far) => {
        valve = new Valve(far);
        return valve;
      },
    });
    const { id, agent, prompt } = await begun(desk);
    desk.editor.beginPrompt(id, "next");
    const begins = new Promise<void>((resolve) => {
      agent.onPrompt = () => {
        agent.delta("of the next turn", "a-2");
        resolve();
      };
    });
    valve?.stopReading();
    agent.end();
    await begins;
    await vi.waitFor(() => expect(valve?.waitingText).toContain("of the next turn"));
    valve?.readOn();
    await desk.editor.when(() => desk.editor.text(id).includes("of the next turn"));
    const answered = desk.editor.frames.findIndex((frame) => frame.method === undefined && frame.id === prompt);
    const isOfNext = (frame: Frame) => /"next"|of the next turn/.test(JSON.stringify(frame.params ?? {}));
    expect(answered).toBeGreaterThan(-1);
    expect(answered).toBeLessThan(desk.editor.frames.findIndex(isOfNext));
  });

  test("of a session that another client closes is a cancel, and the session is not open any more", async () => {
    await using desk = await FaceDesk.open();
    const { id, prompt } = await begun(desk);
    const other = await desk.harness.connect();
    await other.result("close_session", { sessionId: id });
    expect((await desk.editor.answerTo(prompt)).result).toEqual({ stopReason: "cancelled" });
    expect((await desk.editor.prompt(id, "more")).error?.code).toBe(-32002);
  });
});

describe("turns of others", () => {
  test("are shown with the message that began them, and a cancel stops the turn that is shown", async () => {
    await using desk = await FaceDesk.open();
    const { id, agent } = await desk.session();
    const other = await desk.harness.connect();
    await other.loadSession(id);
    await other.result("add_user_message", { sessionId: id, text: "of another", messageId: "m-other" });
    await agent.prompted(1);
    agent.message("m-other", "user", "of another");
    agent.delta("shown");
    await desk.editor.when(() => desk.editor.text(id) === "shown");
    expect(desk.editor.text(id, "user_message_chunk")).toBe("of another");
    desk.editor.send({ method: "session/cancel", params: { sessionId: id } });
    expect(await other.turnEnd("m-other")).toMatchObject({ reason: "cancelled" });
  });

  test("are left out on request, with their questions, and neither is stopped by a cancel", async () => {
    await using desk = await FaceDesk.open({ ownTurnsOnly: true });
    const { id, agent } = await desk.session();
    const other = await desk.harness.connect();
    await other.loadSession(id);
    await other.result("add_user_message", { sessionId: id, text: "of another", messageId: "m-other" });
    await agent.prompted(1);
    agent.message("m-other", "user", "of another");
    agent.delta("hidden");
    agent.ask("request_permission", PERMISSION);
    await other.request("request_permission");
    desk.editor.send({ method: "session/cancel", params: { sessionId: id } });
    agent.end();
    expect(await other.turnEnd("m-other")).toMatchObject({ reason: "completed" });
    const own = desk.editor.beginPrompt(id, "mine");
    await agent.prompted(2);
    agent.delta("mine", "a-2");
    agent.end();
    await desk.editor.answerTo(own);
    expect(desk.editor.text(id)).toBe("mine");
    expect(desk.editor.frames.filter(({ method }) => method === "session/request_permission")).toEqual([]);
    expect(agent.interrupts).toBe(0);
  });
});

describe("agents", () => {
  test("the option chooses the agent of the editor's next sessions", async () => {
    await using desk = await FaceDesk.open();
    const opened = await desk.editor.result("session/new", { cwd: "/", mcpServers: [] });
    expect(opened.configOptions).toContainEqual(expect.objectContaining({ id: "_agent", currentValue: "fake" }));
    const choice = { sessionId: opened.sessionId, configId: "_agent" };
    expect((await desk.editor.call("session/set_config_option", { ...choice, value: "none" })).error?.code).toBe(
      -32602,
    );
    const { configOptions } = await desk.editor.result("session/set_config_option", { ...choice, value: "other" });
    expect(configOptions).toContainEqual(expect.objectContaining({ id: "_agent", currentValue: "other" }));
    const { agent } = await desk.session();
    expect(agent.spec.name).toBe("other");
  });

  test("a session is made with the agent and the MCP servers that the editor names", async () => {
    await using desk = await FaceDesk.open();
    const mcpServers = [
      { name: "files", command: "mcp-files", args: ["."], env: [{ name: "KEY", value: "v" }] },
      { type: "http", name: "web", url: "http://127.0.0.1/mcp", headers: [{ name: "x", value: "y" }] },
    ];
    const extra = { mcpServers, _meta: { daemonSdk: { agent: "other" } } };
    const id = await desk.editor.newSession("/", extra);
    const agent = await desk.harness.spawner.agentOf(id);
    expect(agent.spec.name).toBe("other");
    expect(agent.starts[0]?.mcpServers).toEqual([
      { name: "files", command: "mcp-files", args: ["."], env: { KEY: "v" } },
      { type: "http", name: "web", url: "http://127.0.0.1/mcp", headers: [{ name: "x", value: "y" }] },
    ]);
  });

  test("options that an agent reports are the editor's, and a changed value is told once", async () => {
    await using desk = await FaceDesk.open();
    const { id, agent } = await desk.session();
    const mode = {
      id: "mode",
      name: "Mode",
      category: "mode",
      value: "ask",
      values: [
        { value: "ask", name: "Ask" },
        { value: "go", name: "Go" },
      ],
    };
    agent.tell({ type: "settings_updated", settings: { agentOptions: [mode] } });
    await desk.editor.updated({ sessionUpdate: "current_mode_update", currentModeId: "ask" });
    agent.onCall = () => {
      agent.tell({ type: "settings_updated", settings: { agentOptions: [{ ...mode, value: "go" }] } });
      return {};
    };
    expect(await desk.editor.result("session/set_mode", { sessionId: id, modeId: "go" })).toEqual({});
    expect(agent.calls.at(-1)).toMatchObject({
      method: "update_session_settings",
      params: { agentOptions: { mode: "go" } },
    });
    agent.tell({ type: "session_title_updated", title: "after" });
    await desk.editor.updated({ sessionUpdate: "session_info_update", title: "after" });
    const modes = desk.editor.updates(id).filter(({ sessionUpdate }) => sessionUpdate === "current_mode_update");
    expect(modes.map(({ currentModeId }) => currentModeId).filter((mode) => mode === "go").length).toBeLessThan(2);
  });
});

test("a request whose id is in flight is refused, and answers of the editor to nothing are dropped", async () => {
  await using desk = await FaceDesk.open();
  const { id, agent, prompt } = await begun(desk);
  desk.editor.send({ id: prompt, method: "session/list", params: {} });
  expect((await desk.editor.answerTo(prompt)).error?.code).toBe(-32600);
  desk.editor.send({ id: 99, result: {} });
  agent.end();
  await desk.editor.when(() => desk.editor.frames.some((frame) => frame.id === prompt && frame.result !== undefined));
  expect((await desk.editor.call("session/list", {})).result).toMatchObject({ sessions: [{ sessionId: id }] });
});
