import type { McpServerConfig } from "@daemon-sdk/protocol";
import { describe, expect, test, vi } from "vitest";
import { hunksOf } from "../../../src/agents/drivers/acp/readers/version-2/git-patch.js";
import { AcpDialogue } from "./acp-dialogue.js";
import { START } from "./driven-agent.js";

const base64 = (text: string | Buffer) => Buffer.from(text).toString("base64");

async function opened(session: object = {}, answer: object = {}): Promise<AcpDialogue> {
  const dialogue = new AcpDialogue({ protocolVersion: 2 });
  await dialogue.openVersion2(session, answer);
  return dialogue;
}

/** A prompt that the agent has taken and works on. */
async function working(text?: string): Promise<AcpDialogue> {
  const dialogue = await opened();
  const id = await dialogue.prompt(text);
  dialogue.state("running");
  dialogue.write({ id, result: { messageId: "u-1" } });
  return dialogue;
}

const ended = (dialogue: AcpDialogue, count = 1) => vi.waitFor(() => expect(dialogue.ends).toHaveLength(count));

function finalTexts(dialogue: AcpDialogue): unknown[] {
  return dialogue.ofType("create_message").flatMap(({ message }) => {
    const { role, content } = message as { role: string; content: { type: string; text?: string }[] };
    return role === "assistant" ? content.flatMap((block) => (block.type === "text" ? [block.text] : [])) : [];
  });
}

describe("a start in version 2", () => {
  test("asks for it where the configuration does, in its own words", async () => {
    const dialogue = new AcpDialogue({ protocolVersion: 2 });
    void dialogue.agent.open(START).catch(() => {});
    const { params } = await dialogue.read();
    expect(params).toEqual({
      protocolVersion: 2,
      info: { name: "daemon-sdk", title: "daemon-sdk", version: expect.any(String) },
      capabilities: { elicitation: { form: {} } },
    });
  });

  test.each([1, 2] as const)("asked for %s: the agent's answer decides", async (protocolVersion) => {
    const dialogue = new AcpDialogue({ protocolVersion });
    if (protocolVersion === 1) await dialogue.openVersion2();
    else await dialogue.open();
    const id = await dialogue.prompt("/go");
    if (protocolVersion === 1) dialogue.state("running");
    dialogue.write({ id, result: protocolVersion === 1 ? { messageId: "u-1" } : { stopReason: "end_turn" } });
    if (protocolVersion === 1) dialogue.state("idle", { stopReason: "end_turn" });
    await ended(dialogue);
    expect(dialogue.ends).toMatchObject([{ reason: "completed" }]);
  });

  test("names the type of a stdio server, and passes none that is not offered", async () => {
    const servers: McpServerConfig[] = [
      { name: "files", command: "/bin/files", args: [] },
      { type: "http", name: "web", url: "http://127.0.0.1" },
    ];
    const dialogue = new AcpDialogue({ protocolVersion: 2 });
    const open = dialogue.agent.open({ ...START, mcpServers: servers });
    const answer = { protocolVersion: 2, info: {}, capabilities: { session: { mcp: { stdio: {} } } } };
    await dialogue.answer("initialize", { result: answer });
    const { params } = await dialogue.answer("session/new", { result: { sessionId: "a-1" } });
    await open;
    expect(params?.mcpServers).toEqual([{ type: "stdio", name: "files", command: "/bin/files", args: [], env: [] }]);
    expect(dialogue.ofType("mcp_status_changed")).toMatchObject([{ servers: [{ name: "web", status: "failed" }] }]);
  });

  test("resumes without a replay, and a state before the answer ends nothing", async () => {
    const dialogue = new AcpDialogue({ protocolVersion: 2 });
    const open = dialogue.agent.open({ ...START, resume: "a-1" });
    await dialogue.answer("initialize", { result: { protocolVersion: 2, info: {}, capabilities: { session: {} } } });
    dialogue.state("idle", { stopReason: "end_turn" });
    const { params } = await dialogue.answer("session/resume", { result: {} });
    expect(params).toEqual({ sessionId: "a-1", cwd: START.cwd, mcpServers: [] });
    expect(await open).toMatchObject({ agentSessionId: "a-1" });
    expect(dialogue.ends).toEqual([]);
  });

  test("reports the commands of the answer, and sets an option by its type", async () => {
    const dialogue = new AcpDialogue({ protocolVersion: 2, mode: "ask" });
    const options = ["auto", "ask"].map((value) => ({ value, name: value }));
    const mode = { configId: "m", name: "Mode", category: "mode", type: "select", currentValue: "auto", options };
    const commands = [{ type: "command", name: "plan", description: "Plan.", input: { type: "text", hint: "what" } }];
    const open = dialogue.agent.open(START);
    await dialogue.answer("initialize", { result: { protocolVersion: 2, info: {}, capabilities: { session: {} } } });
    const answer = { sessionId: "a-1", configOptions: [mode], availableCommands: commands };
    await dialogue.answer("session/new", { result: answer });
    const { params } = await dialogue.answer("session/set_config_option", {
      result: { configOptions: [{ ...mode, currentValue: "ask" }] },
    });
    await open;
    expect(params).toEqual({ sessionId: "a-1", configId: "m", type: "id", value: "ask" });
    expect(dialogue.ofType("commands_changed")).toMatchObject([
      { commands: [{ name: "plan", description: "Plan.", hint: "what" }] },
    ]);
  });
});

describe("a turn in version 2", () => {
  test("begins when the agent takes the prompt, and ends when it becomes idle", async () => {
    const dialogue = await opened();
    const id = await dialogue.prompt();
    dialogue.state("running");
    expect(dialogue.starts).toBe(0);
    dialogue.write({ id, result: { messageId: "u-1" } });
    await vi.waitFor(() => expect(dialogue.starts).toBe(1));
    dialogue.say("Hi.", "m");
    const usage = { inputTokens: 3, outputTokens: 4 };
    dialogue.state("idle", { stopReason: "end_turn", usage });
    await ended(dialogue);
    expect(dialogue.ends).toMatchObject([{ reason: "completed", details: { tokenUsage: usage } }]);
    expect(dialogue.starts).toBe(1);
  });

  test("has its end from the echo of the prompt on, when the answer to it comes last", async () => {
    const dialogue = await opened();
    const id = await dialogue.prompt("/go");
    dialogue.state("running");
    dialogue.update({ sessionUpdate: "user_message", messageId: "u-1", content: [{ type: "text", text: "/go" }] });
    dialogue.state("idle", { stopReason: "end_turn" });
    await ended(dialogue);
    dialogue.write({ id, result: { messageId: "u-1" } });
    await dialogue.prompt("/again");
    dialogue.state("running");
    dialogue.say("Working.", "m");
    await vi.waitFor(() => expect(dialogue.starts).toBe(2));
    expect(dialogue.ends).toHaveLength(1);
  });

  test("is not ended by an idle that belongs to work of the agent's own, nor by one that is repeated", async () => {
    const dialogue = await opened();
    dialogue.state("running");
    const id = await dialogue.prompt();
    dialogue.state("idle", { stopReason: "end_turn", usage: { inputTokens: 1, outputTokens: 1 } });
    dialogue.write({ id, result: { messageId: "u-1" } });
    dialogue.state("idle", { stopReason: "end_turn", usage: { inputTokens: 1, outputTokens: 1 } });
    dialogue.state("running");
    dialogue.say("Now yours.", "m");
    dialogue.state("idle", { stopReason: "max_tokens" });
    await ended(dialogue);
    dialogue.state("idle", { stopReason: "max_tokens" });
    dialogue.update({ sessionUpdate: "session_info_update", title: "After" });
    await vi.waitFor(() => expect(dialogue.ofType("session_title_updated")).toHaveLength(1));
    expect(dialogue.ends).toMatchObject([{ reason: "completed", details: { stopReason: "max_tokens" } }]);
    expect(dialogue.ofType("session_token_usage_changed")).toEqual([]);
  });

  test("that failed has the agent's error", async () => {
    const dialogue = await working();
    const error = { code: -32603, message: "Internal error", data: { details: "model overloaded" } };
    dialogue.state("idle", { stopReason: "error", error });
    await ended(dialogue);
    expect(dialogue.ends).toMatchObject([
      { reason: "error", details: { message: expect.stringContaining("model overloaded"), rpcCode: -32603 } },
    ]);
  });

  test("whose prompt is refused ends with the refusal", async () => {
    const dialogue = await opened();
    const id = await dialogue.prompt();
    dialogue.write({ id, error: { code: -32602, message: "no such command" } });
    await ended(dialogue);
    expect(dialogue.ends).toMatchObject([{ reason: "error", details: { rpcCode: -32602 } }]);
  });

  test("that is cancelled before the agent works is cancelled", async () => {
    const dialogue = await opened();
    const id = await dialogue.prompt();
    dialogue.write({ id, result: { messageId: "u-1" } });
    await vi.waitFor(() => expect(dialogue.starts).toBe(1));
    await dialogue.agent.interrupt();
    expect((await dialogue.read()).method).toBe("session/cancel");
    dialogue.state("idle", { stopReason: "cancelled" });
    await ended(dialogue);
    expect(dialogue.ends).toMatchObject([{ reason: "cancelled" }]);
  });
});

describe("whole messages of version 2", () => {
  const whole = (dialogue: AcpDialogue, text: string, kind = "agent_message") =>
    dialogue.update({ sessionUpdate: kind, messageId: "m", content: [{ type: "text", text }] });

  test("add what the chunks lack, and nothing when they lack nothing", async () => {
    const dialogue = await working();
    dialogue.say("Hello ", "m");
    whole(dialogue, "Hello there.");
    whole(dialogue, "Hello there.");
    dialogue.state("idle", { stopReason: "end_turn" });
    await ended(dialogue);
    expect(dialogue.ofType("assistant_text_delta").map(({ textDelta }) => textDelta)).toEqual(["Hello ", "there."]);
    expect(finalTexts(dialogue)).toEqual(["Hello there."]);
  });

  test("take the place of another text", async () => {
    const dialogue = await working();
    dialogue.say("Wrong.", "m");
    dialogue.say("In between.", "n");
    whole(dialogue, "Right.");
    dialogue.state("idle", { stopReason: "end_turn" });
    await ended(dialogue);
    const [retracted] = dialogue.ofType("assistant_message_retracted");
    const kept = dialogue
      .ofType("create_message")
      .filter(({ message }) => (message as { id: string }).id !== retracted?.messageId);
    expect(kept.flatMap(({ message }) => (message as { content: { text?: string }[] }).content)).toMatchObject([
      { text: "hello" },
      { text: "In between." },
      { text: "Right." },
    ]);
  });

  test("of thoughts are thinking", async () => {
    const dialogue = await working();
    whole(dialogue, "Hm.", "agent_thought");
    dialogue.state("idle", { stopReason: "end_turn" });
    await ended(dialogue);
    expect(dialogue.ofType("thinking_text_delta")).toMatchObject([{ textDelta: "Hm." }]);
  });
});

describe("tools of version 2", () => {
  const tool = (dialogue: AcpDialogue, fields: object) =>
    dialogue.update({ sessionUpdate: "tool_call_update", toolCallId: "t", ...fields });

  test("get the output of the terminals that they show, whichever comes first", async () => {
    const dialogue = await working();
    const euro = Buffer.from("€");
    dialogue.update({ sessionUpdate: "terminal_update", terminalId: "x", command: "ls" });
    const chunk = (data: string | Buffer) =>
      dialogue.update({ sessionUpdate: "terminal_output_chunk", terminalId: "x", data: base64(data) });
    chunk("one ");
    const content = [{ type: "terminal", terminalId: "x" }];
    tool(dialogue, { title: "ls", kind: "execute", status: "in_progress", rawInput: { command: "ls" }, content });
    chunk(euro.subarray(0, 1));
    chunk(euro.subarray(1));
    const output = { data: base64("one € two") };
    dialogue.update({ sessionUpdate: "terminal_update", terminalId: "x", output, exitStatus: { exitCode: 0 } });
    tool(dialogue, { status: "completed" });
    await vi.waitFor(() => expect(dialogue.ofType("tool_result")).toHaveLength(1));
    const texts = dialogue.ofType("tool_progress_update").map(({ update }) => (update as { text: string }).text);
    expect(texts).toEqual(["one ", "€", " two"]);
    expect(dialogue.ofType("tool_result")).toMatchObject([{ content: "one € two", isError: false }]);
  });

  test("are not begun by the output of a terminal that runs on after their turn", async () => {
    const dialogue = await working();
    const content = [{ type: "terminal", terminalId: "x" }];
    tool(dialogue, { title: "serve", kind: "execute", status: "completed", rawInput: { a: 1 }, content });
    dialogue.state("idle", { stopReason: "end_turn" });
    await ended(dialogue);
    dialogue.update({ sessionUpdate: "terminal_output_chunk", terminalId: "x", data: base64("later") });
    dialogue.update({ sessionUpdate: "session_info_update", title: "After" });
    await vi.waitFor(() => expect(dialogue.ofType("session_title_updated")).toHaveLength(1));
    expect(dialogue.ofType("tool_call")).toHaveLength(1);
  });

  test("have content in pieces, and null takes it back", async () => {
    const dialogue = await working();
    tool(dialogue, { title: "Look", status: "in_progress", rawInput: { a: 1 } });
    const piece = (text: string) => {
      const content = { type: "content", content: { type: "text", text } };
      dialogue.update({ sessionUpdate: "tool_call_content_chunk", toolCallId: "t", content });
    };
    piece("wrong");
    tool(dialogue, { content: null });
    piece("one");
    piece("two");
    tool(dialogue, { status: "completed" });
    await vi.waitFor(() => expect(dialogue.ofType("tool_result")).toHaveLength(1));
    expect(dialogue.ofType("tool_result")).toMatchObject([{ content: "one\ntwo" }]);
  });

  test("that are cancelled have a result", async () => {
    const dialogue = await working();
    tool(dialogue, { title: "Look", status: "in_progress", rawInput: { a: 1 } });
    tool(dialogue, { status: "paused" });
    tool(dialogue, { status: "cancelled" });
    await vi.waitFor(() => expect(dialogue.ofType("tool_result")).toHaveLength(1));
    expect(dialogue.ofType("tool_result")).toMatchObject([{ content: "Cancelled.", isError: true }]);
  });

  test("show each hunk of a patch as a difference, and a move as a sentence", async () => {
    const dialogue = await working();
    const text = [
      "diff --git /p/a.txt /p/a.txt",
      "--- /p/a.txt",
      "+++ /p/a.txt",
      "@@ -1,2 +1,2 @@",
      " one",
      "--- two",
      "+++ 2",
      "@@ -9 +9 @@",
      "-nine",
      "\\ No newline at end of file",
      "+9",
      "diff --git /p/new.txt /p/new.txt",
      "--- /dev/null",
      "+++ /p/new.txt",
      "@@ -0,0 +1 @@",
      "+new",
      "",
    ].join("\n");
    const changes = [
      { operation: "modify", path: "/p/a.txt" },
      { operation: "add", path: "/p/new.txt" },
      { operation: "move", oldPath: "/p/b", path: "/p/c" },
    ];
    const content = [{ type: "diff", changes, patch: { format: "git_patch", text } }];
    tool(dialogue, { title: "Edit", kind: "edit", status: "completed", rawInput: { a: 1 }, content });
    await vi.waitFor(() => expect(dialogue.ofType("tool_call_details")).toHaveLength(1));
    expect(dialogue.ofType("tool_call_details")[0]?.content).toEqual([
      { type: "diff", path: "/p/a.txt", oldText: "one\n-- two\n", newText: "one\n++ 2\n" },
      { type: "diff", path: "/p/a.txt", oldText: "nine", newText: "9\n" },
      { type: "diff", path: "/p/new.txt", newText: "new\n" },
    ]);
    expect(dialogue.ofType("tool_result")).toMatchObject([{ content: "move /p/b → /p/c" }]);
  });

  test("of a deleted file, and of a name that Git quotes, have their path", () => {
    const patch = ['--- "/p/\\303\\251 \\"x\\".txt"', "+++ /dev/null", "@@ -1 +0,0 @@", "-gone"].join("\n");
    expect(hunksOf(patch)).toEqual([{ path: '/p/é "x".txt', oldText: "gone\n", newText: "" }]);
  });
});

describe("a permission of version 2", () => {
  const OPTIONS = [
    { optionId: "yes", name: "Allow", kind: "allow_once" },
    { optionId: "no", name: "Reject", kind: "reject_once" },
  ];
  const ask = (dialogue: AcpDialogue, params: object) => {
    const all = { sessionId: "a-1", title: "Run command?", options: OPTIONS, ...params };
    dialogue.write({ id: 5, method: "session/request_permission", params: all });
    return vi.waitFor(() => expect(dialogue.requests).toHaveLength(1));
  };

  test("for a command shows it, and the agent's reason", async () => {
    const dialogue = await working();
    const subject = { type: "command", command: "rm -rf x", cwd: "/p" };
    await ask(dialogue, { description: "It is old.", subject });
    const [request] = dialogue.requests;
    expect(request?.params.toolUses).toMatchObject([
      { confirmationType: "exec", details: { fullCommand: "rm -rf x", reason: "It is old." } },
    ]);
    request?.respond({ selectedOption: "proceed_once" });
    expect(await dialogue.read()).toMatchObject({ id: 5, result: { outcome: { optionId: "yes" } } });
    expect(dialogue.ofType("tool_result")).toMatchObject([{ isError: false }]);
  });

  test.each([[{}], [{ subject: { type: "_odd" } }]])("for anything else shows its title: %j", async (params) => {
    const dialogue = await working();
    await ask(dialogue, params);
    const [request] = dialogue.requests;
    expect(request?.params.toolUses).toMatchObject([{ details: { type: "mcp_tool", title: "Run command?" } }]);
    request?.respond({ selectedOption: "cancel" });
    expect(await dialogue.read()).toMatchObject({ id: 5, result: { outcome: { optionId: "no" } } });
    expect(dialogue.ofType("tool_result")).toMatchObject([{ isError: true }]);
  });

  test("for a tool call is about that tool, which goes on", async () => {
    const dialogue = await working();
    const toolCall = { toolCallId: "t", title: "ls", kind: "execute", rawInput: { command: "ls" }, status: null };
    await ask(dialogue, { subject: { type: "tool_call", toolCall } });
    dialogue.requests[0]?.respond({ selectedOption: "proceed_once" });
    await dialogue.read();
    expect(dialogue.ofType("tool_result")).toEqual([]);
    expect(dialogue.ofType("tool_call")).toMatchObject([{ toolUse: { id: "t", name: "Execute" } }]);
  });
});

test("plans of version 2 follow one another, and an unknown plan passes through", async () => {
  const dialogue = await working();
  const plan = (planId: string, content: string) => {
    const entries = [{ content, priority: "low", status: "pending" }];
    dialogue.update({ sessionUpdate: "plan_update", plan: { type: "items", planId, entries } });
  };
  plan("a", "one");
  plan("b", "two");
  dialogue.update({ sessionUpdate: "plan_update", plan: { type: "_odd", planId: "c" } });
  await vi.waitFor(() => expect(dialogue.ofType("agent_update")).toHaveLength(1));
  const last = dialogue.ofType("plan_changed").at(-1)?.entries as { content: string }[];
  expect(last.map(({ content }) => content)).toEqual(["one", "two"]);
});

test("a cost of version 2 stays until another one is reported", async () => {
  const dialogue = await working();
  const cost = { amount: 1, currency: "EUR" };
  dialogue.update({ sessionUpdate: "usage_update", used: 1, size: 9, cost });
  dialogue.update({ sessionUpdate: "usage_update", used: 2, size: 9 });
  dialogue.update({ sessionUpdate: "usage_update", used: 3, size: 9, cost: null });
  await vi.waitFor(() => expect(dialogue.ofType("context_usage_changed")).toHaveLength(3));
  expect(dialogue.ofType("context_usage_changed").map((one) => one.cost)).toEqual([cost, cost, undefined]);
});
