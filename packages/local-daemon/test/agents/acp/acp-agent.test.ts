import { DaemonError } from "@daemon-sdk/protocol";
import { describe, expect, test, vi } from "vitest";
import { AcpDialogue } from "./acp-dialogue.js";
import { START } from "./driven-agent.js";

const OPTIONS = [
  { optionId: "once", name: "Allow", kind: "allow_once" },
  { optionId: "no", name: "Reject", kind: "reject_once" },
];
const TOOL = { toolCallId: "t-1", title: "rm -rf x", kind: "execute", rawInput: { command: "rm -rf x" } };

function askPermission(dialogue: AcpDialogue, id: number): void {
  dialogue.write({
    id,
    method: "session/request_permission",
    params: { sessionId: "a-1", toolCall: TOOL, options: OPTIONS },
  });
}

describe("the deletion of a conversation", () => {
  test("is asked of an agent that offers it, without opening one", async () => {
    const dialogue = new AcpDialogue();
    const forgotten = dialogue.agent.forget("a-1");
    const agentCapabilities = { sessionCapabilities: { delete: {} } };
    await dialogue.answer("initialize", { result: { protocolVersion: 1, agentCapabilities } });
    const { params } = await dialogue.answer("session/delete", { result: {} });
    expect(params).toEqual({ sessionId: "a-1" });
    expect(await forgotten).toBe(true);
  });

  test("is not asked of one that does not", async () => {
    const dialogue = new AcpDialogue();
    const forgotten = dialogue.agent.forget("a-1");
    await dialogue.answer("initialize", { result: { protocolVersion: 1 } });
    expect(await forgotten).toBe(false);
  });
});

describe("a start", () => {
  test("asks for version 1, and offers neither files nor terminals", async () => {
    const dialogue = new AcpDialogue();
    const opened = dialogue.agent.open(START);
    const { params } = await dialogue.answer("initialize", { result: { protocolVersion: 1 } });
    expect(params).toMatchObject({
      protocolVersion: 1,
      clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
    });
    await dialogue.answer("session/new", { result: { sessionId: "a-1" } });
    expect(await opened).toMatchObject({ agentSessionId: "a-1", settings: { modelId: "default" } });
  });

  test("with an agent of another version fails, and names both", async () => {
    const dialogue = new AcpDialogue();
    const opened = dialogue.agent.open(START);
    await dialogue.answer("initialize", { result: { protocolVersion: 3 } });
    await expect(opened).rejects.toMatchObject({
      code: "VERSION_MISMATCH",
      message: expect.stringContaining("version 3"),
    });
  });

  test("with an agent that refuses version 1 names the key that asks for another", async () => {
    const dialogue = new AcpDialogue();
    const opened = dialogue.agent.open(START);
    const data = { requested: 1, supported: [2] };
    await dialogue.answer("initialize", { error: { code: -32022, message: "Unsupported protocol version", data } });
    await expect(opened).rejects.toMatchObject({
      code: "VERSION_MISMATCH",
      message: expect.stringContaining('"protocolVersion": 2'),
    });
  });

  test("that gets no answer fails after the configured time, and states what the agent wrote", async () => {
    const dialogue = new AcpDialogue({ name: "mute", startTimeoutMs: 500 });
    const opened = dialogue.agent.open(START);
    dialogue.line("Welcome!");
    const error = await opened.catch((reason: unknown) => reason);
    expect(DaemonError.is(error, "REQUEST_TIMEOUT")).toBe(true);
    for (const words of ['agent "mute" to initialize', "Welcome!", "written to stderr", "startTimeoutMs"]) {
      expect(String(error)).toContain(words);
    }
  });

  test("of an agent that wants a login names the ways to log in", async () => {
    const dialogue = new AcpDialogue();
    const opened = dialogue.agent.open(START);
    const authMethods = [{ id: "x", name: "Log in with X" }];
    await dialogue.answer("initialize", { result: { protocolVersion: 1, authMethods } });
    await dialogue.answer("session/new", { error: { code: -32000, message: "Authentication required" } });
    const error = await opened.catch((reason: unknown) => reason);
    expect(DaemonError.is(error, "AGENT_LOGIN_REQUIRED")).toBe(true);
    expect(String(error)).toContain("Log in with X");
  });

  test("of an agent that dies states its exit and its stderr", async () => {
    const dialogue = new AcpDialogue();
    const opened = dialogue.agent.open(START);
    await dialogue.read();
    dialogue.exit({ exitCode: 3, stderr: "no such model" });
    await expect(opened).rejects.toMatchObject({
      code: "PROCESS_EXITED",
      message: expect.stringContaining("no such model"),
    });
  });

  test("in a mode that approves by itself is changed to one that asks", async () => {
    const dialogue = new AcpDialogue();
    const values = ["auto", "default"].map((id) => ({ id, name: id }));
    const modes = { currentModeId: "auto", availableModes: values };
    const opened = dialogue.agent.open(START);
    await dialogue.answer("initialize", { result: { protocolVersion: 1 } });
    await dialogue.answer("session/new", { result: { sessionId: "a-1", modes } });
    const { params } = await dialogue.answer("session/set_mode", { result: {} });
    await opened;
    expect(params).toEqual({ sessionId: "a-1", modeId: "default" });
    expect(dialogue.ofType("settings_updated").at(-1)).toMatchObject({
      settings: { agentOptions: [{ id: "mode", value: "default" }] },
    });
  });

  test("of a conversation that the agent does not have is SESSION_NOT_FOUND, whatever its code", async () => {
    const dialogue = new AcpDialogue();
    const opened = dialogue.agent.open({ ...START, resume: "old" });
    await dialogue.answer("initialize", { result: { protocolVersion: 1, agentCapabilities: { loadSession: true } } });
    await dialogue.answer("session/load", { error: { code: -32603, message: "boom" } });
    await expect(opened).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
  });

  test("does not report what the agent replays of a conversation", async () => {
    const dialogue = new AcpDialogue();
    const opened = dialogue.agent.open({ ...START, resume: "a-1" });
    await dialogue.answer("initialize", { result: { protocolVersion: 1, agentCapabilities: { loadSession: true } } });
    const { id } = await dialogue.read();
    dialogue.say("an old answer");
    dialogue.update({ sessionUpdate: "tool_call", toolCallId: "t-0", title: "old" });
    dialogue.write({ id, result: null });
    await opened;
    expect(dialogue.notifications).toEqual([]);
  });
});

describe("a permission", () => {
  test("that is pending at an interrupt is answered before the cancel, and a late answer goes nowhere", async () => {
    const dialogue = new AcpDialogue();
    await dialogue.open();
    await dialogue.prompt();
    askPermission(dialogue, 7);
    await vi.waitFor(() => expect(dialogue.requests).toHaveLength(1));
    await dialogue.agent.interrupt();
    dialogue.requests[0]?.respond({ selectedOption: "proceed_once" });
    expect(await dialogue.read()).toMatchObject({ id: 7, result: { outcome: { outcome: "cancelled" } } });
    expect(await dialogue.read()).toMatchObject({ method: "session/cancel" });
    // A request that comes after the cancel is answered at once, and nobody is asked.
    askPermission(dialogue, 8);
    expect(await dialogue.read()).toMatchObject({ id: 8, result: { outcome: { outcome: "cancelled" } } });
    expect(dialogue.requests).toHaveLength(1);
    expect(dialogue.ofType("permission_resolved")).toHaveLength(1);
  });

  test("shows the command, and the agent's options under our values", async () => {
    const dialogue = new AcpDialogue();
    await dialogue.open();
    await dialogue.prompt();
    askPermission(dialogue, 7);
    await vi.waitFor(() => expect(dialogue.requests).toHaveLength(1));
    expect(dialogue.requests[0]?.params).toMatchObject({
      toolUses: [{ confirmationType: "exec", details: { fullCommand: "rm -rf x", command: "rm" } }],
      options: [
        { label: "Allow", value: "proceed_once" },
        { label: "Reject", value: "cancel" },
      ],
    });
    dialogue.requests[0]?.respond({ selectedOption: "cancel" });
    expect(await dialogue.read()).toMatchObject({
      id: 7,
      result: { outcome: { outcome: "selected", optionId: "no" } },
    });
  });

  test("that the agent withdraws is closed", async () => {
    const dialogue = new AcpDialogue();
    await dialogue.open();
    await dialogue.prompt();
    askPermission(dialogue, 7);
    dialogue.write({ method: "$/cancel_request", params: { requestId: 7 } });
    expect(await dialogue.read()).toMatchObject({ id: 7, error: { code: -32800 } });
    expect(dialogue.ofType("permission_resolved")).toMatchObject([{ requestId: dialogue.requests[0]?.id }]);
    expect(dialogue.ofType("droid_working_state_changed").at(-1)).toMatchObject({ newState: "executing_tool" });
  });
});

describe("a turn", () => {
  test("ends once, with what is open closed before", async () => {
    const dialogue = new AcpDialogue();
    await dialogue.open();
    const id = await dialogue.prompt();
    dialogue.say("hi");
    dialogue.update({ sessionUpdate: "tool_call", ...TOOL, status: "in_progress" });
    dialogue.write({ id, result: { stopReason: "end_turn", usage: { inputTokens: 3, outputTokens: 2 } } });
    dialogue.write({ id, result: { stopReason: "end_turn" } });
    await vi.waitFor(() => expect(dialogue.ends).toHaveLength(1));
    expect(dialogue.ends[0]).toMatchObject({ reason: "completed", details: { tokenUsage: { inputTokens: 3 } } });
    expect(dialogue.ofType("tool_result")).toMatchObject([{ toolUseId: "t-1", isError: true }]);
    expect(dialogue.starts).toBe(1);
  });

  test("takes an answer whose id became a string", async () => {
    const dialogue = new AcpDialogue();
    await dialogue.open();
    const id = await dialogue.prompt();
    dialogue.say("hi");
    dialogue.write({ id: String(id), result: { stopReason: "end_turn" } });
    await vi.waitFor(() => expect(dialogue.ends).toMatchObject([{ reason: "completed" }]));
  });

  test("that ends without anything is an error", async () => {
    const dialogue = new AcpDialogue();
    await dialogue.open();
    const id = await dialogue.prompt();
    dialogue.write({ id, result: { stopReason: "end_turn" } });
    await vi.waitFor(() => expect(dialogue.ends).toMatchObject([{ reason: "error" }]));
  });

  test("is refused while another runs", async () => {
    const dialogue = new AcpDialogue();
    await dialogue.open();
    await dialogue.prompt();
    await expect(dialogue.prompt()).rejects.toMatchObject({ code: "SESSION_STATE" });
  });

  test("that does not end after a cancel stops the agent", async () => {
    const dialogue = new AcpDialogue();
    await dialogue.open();
    await dialogue.prompt();
    // Not before: reading pauses by a timer when the machine is busy.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      await dialogue.agent.interrupt();
      vi.advanceTimersByTime(9_999);
      expect(dialogue.stops).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(dialogue.stops).toEqual(["broken"]);
    } finally {
      vi.useRealTimers();
    }
  });

  test("that fails for want of a login names the way to log in", async () => {
    const dialogue = new AcpDialogue({ name: "opencode" });
    const opened = dialogue.agent.open(START);
    const authMethods = [{ id: "x", name: "Login with opencode" }];
    await dialogue.answer("initialize", { result: { protocolVersion: 1, authMethods } });
    await dialogue.answer("session/new", { result: { sessionId: "a-1" } });
    await opened;
    const id = await dialogue.prompt();
    dialogue.write({
      id,
      error: { code: -32000, message: "Authentication required: provider authentication required" },
    });
    await vi.waitFor(() => expect(dialogue.ends).toMatchObject([{ reason: "model_authentication_failed" }]));
    const message = String(dialogue.ends[0]?.details.message);
    expect(message).toContain("provider authentication required");
    expect(message).toContain("`local-daemon agents login opencode`");
    expect(message).toContain("Login with opencode");
    expect(dialogue.ofType("error")).toMatchObject([{ message }]);
  });

  test("that fails for want of a login names no command that does not know the agent", async () => {
    const dialogue = new AcpDialogue({ name: "mine", command: ["/opt/mine"] });
    const opened = dialogue.agent.open(START);
    await dialogue.answer("initialize", { result: { protocolVersion: 1, authMethods: [] } });
    await dialogue.answer("session/new", { error: { code: -32000, message: "Authentication required" } });
    const message = 'Agent "mine" is not logged in. Log in with the agent\'s own command, then send again.';
    await expect(opened).rejects.toMatchObject({ code: "AGENT_LOGIN_REQUIRED", message });
  });

  test("of a dead agent is agent_exited, with its exit code", async () => {
    const dialogue = new AcpDialogue();
    await dialogue.open();
    await dialogue.prompt();
    dialogue.exit({ exitCode: 9 });
    await vi.waitFor(() => expect(dialogue.ends).toMatchObject([{ reason: "agent_exited", details: { exitCode: 9 } }]));
  });

  test("with an image is refused by an agent that takes none, and nothing is sent", async () => {
    const dialogue = new AcpDialogue();
    await dialogue.open();
    const images = [{ type: "base64" as const, data: "AA==", mediaType: "image/png" }];
    const prompt = dialogue.agent.prompt({ sessionId: START.sessionId, text: "look", images });
    await expect(prompt).rejects.toMatchObject({ code: "INVALID_PARAMS" });
  });

  test("gets nothing of a session that is not its own, and nothing of lines that are no frames", async () => {
    const dialogue = new AcpDialogue();
    await dialogue.open();
    const id = await dialogue.prompt();
    dialogue.line("a log line on stdout");
    dialogue.line("[1, 2]");
    const update = { sessionUpdate: "agent_message_chunk", content: { type: "text", text: "other" } };
    dialogue.write({ method: "session/update", params: { sessionId: "a-2", update } });
    dialogue.say("own");
    dialogue.write({ id, result: { stopReason: "end_turn" } });
    await vi.waitFor(() => expect(dialogue.ends).toHaveLength(1));
    expect(dialogue.ofType("assistant_text_delta")).toMatchObject([{ textDelta: "own" }]);
  });

  test("passes an unknown kind of update on as it came", async () => {
    const dialogue = new AcpDialogue();
    await dialogue.open();
    await dialogue.prompt();
    dialogue.update({ sessionUpdate: "hologram", shape: "cube" });
    await vi.waitFor(() => expect(dialogue.ofType("agent_update")).toHaveLength(1));
    expect(dialogue.ofType("agent_update")[0]).toMatchObject({ update: { sessionUpdate: "hologram", shape: "cube" } });
  });

  test("refuses calls that were not offered", async () => {
    const dialogue = new AcpDialogue();
    await dialogue.open();
    dialogue.write({ id: "f", method: "fs/write_text_file", params: { path: "/x", content: "" } });
    expect(await dialogue.read()).toMatchObject({ id: "f", error: { code: -32601 } });
  });
});

describe("text that is none of the model", () => {
  const AGENTS = {
    pi: { name: "pi-acp", retry: "Retrying (attempt 1/3, waiting 2s)..." },
    copilot: { name: "Copilot", retry: "Info: Response was interrupted due to a server error. Retrying..." },
  };

  test.each(Object.values(AGENTS))(
    "of $name: a retry retracts what the broken stream wrote",
    async ({ name, retry }) => {
      const dialogue = new AcpDialogue();
      await dialogue.open({}, {}, { name });
      const id = await dialogue.prompt();
      dialogue.say("This is one wh");
      dialogue.say(retry);
      dialogue.say("This is one whole text.");
      dialogue.write({ id, result: { stopReason: "end_turn", usage: { inputTokens: 1 } } });
      await vi.waitFor(() => expect(dialogue.ends).toMatchObject([{ reason: "completed" }]));
      const [broken, whole] = dialogue.ofType("assistant_text_delta");
      expect([broken?.textDelta, whole?.textDelta]).toEqual(["This is one wh", "This is one whole text."]);
      expect(dialogue.ofType("assistant_message_retracted")).toMatchObject([{ messageId: broken?.messageId }]);
      expect(whole?.messageId).not.toBe(broken?.messageId);
      expect(dialogue.ofType("llm_retry")).toMatchObject([{ attempt: 1, reason: retry }]);
      expect(dialogue.ofType("assistant_text_complete")).toMatchObject([{ messageId: whole?.messageId }]);
    },
  );

  test("of Codex: a retry beside the conversation retracts thinking, too, and nothing before the last tool", async () => {
    const dialogue = new AcpDialogue();
    await dialogue.open();
    const id = await dialogue.prompt();
    dialogue.say("I will run it.");
    dialogue.update({ sessionUpdate: "tool_call", ...TOOL, status: "completed" });
    dialogue.think("Now I know.", "r-1");
    dialogue.say("It is do", "m-2");
    const error = { message: "Reconnecting... 1/5", additionalDetails: "stream disconnected", willRetry: true };
    dialogue.update({ sessionUpdate: "session_info_update", _meta: { codex: { error } } });
    dialogue.say("It is done.", "m-3");
    dialogue.write({ id, result: { stopReason: "end_turn" } });
    await vi.waitFor(() => expect(dialogue.ends).toMatchObject([{ reason: "completed" }]));
    const thought = dialogue.ofType("thinking_text_delta").map(({ messageId }) => messageId);
    const texts = dialogue.ofType("assistant_text_delta").map(({ messageId }) => messageId);
    expect(dialogue.ofType("assistant_message_retracted").map(({ messageId }) => messageId)).toEqual([
      ...thought,
      texts[1],
    ]);
    expect(dialogue.ofType("llm_retry")).toMatchObject([
      { attempt: 1, reason: "Reconnecting... 1/5: stream disconnected" },
    ]);
  });

  test("is no text for other agents", async () => {
    const dialogue = new AcpDialogue();
    await dialogue.open({}, {}, { name: "other" });
    await dialogue.prompt();
    dialogue.say(AGENTS.pi.retry);
    await vi.waitFor(() => expect(dialogue.ofType("assistant_text_delta")).toHaveLength(1));
    expect(dialogue.ofType("llm_retry")).toEqual([]);
  });

  test("of pi: a turn that only retries has failed, and says why", async () => {
    const dialogue = new AcpDialogue();
    await dialogue.open({}, {}, { name: "pi-acp" });
    const id = await dialogue.prompt();
    dialogue.say(AGENTS.pi.retry);
    dialogue.say("Retry finished, resuming.");
    dialogue.write({ id, result: { stopReason: "end_turn" } });
    await vi.waitFor(() => expect(dialogue.ends).toMatchObject([{ reason: "error" }]));
    expect(dialogue.ofType("assistant_text_delta")).toEqual([]);
    expect(dialogue.ends[0]?.details.message).toContain(AGENTS.pi.retry);
  });

  test("of pi: what it says at its start is a notice, also when the turn runs already", async () => {
    const startupInfo = "pi v1.6.0\n---\n";
    const dialogue = new AcpDialogue();
    await dialogue.open({}, { _meta: { piAcp: { startupInfo } } }, { name: "pi-acp" });
    const id = await dialogue.prompt();
    dialogue.say(startupInfo);
    dialogue.write({ id, result: { stopReason: "end_turn" } });
    await vi.waitFor(() => expect(dialogue.ends).toMatchObject([{ reason: "error" }]));
    expect(dialogue.ofType("session_notice")).toMatchObject([{ code: "AGENT_NOTICE", message: "pi v1.6.0\n---" }]);
  });

  test("of Copilot: an error as the last text, without usage, is an error; with usage it is the model's text", async () => {
    const dialogue = new AcpDialogue();
    await dialogue.open({}, {}, { name: "Copilot" });
    for (const usage of [undefined, { inputTokens: 1 }]) {
      const id = await dialogue.prompt();
      dialogue.say("Error: 400 bad request");
      dialogue.write({ id, result: { stopReason: "end_turn", ...(usage && { usage }) } });
      await vi.waitFor(() => expect(dialogue.ends).toHaveLength(usage === undefined ? 1 : 2));
    }
    expect(dialogue.ends).toMatchObject([
      { reason: "error", details: { message: "Error: 400 bad request" } },
      { reason: "completed" },
    ]);
  });

  test("of Codex: text after its model failed is the reason of the failure", async () => {
    const dialogue = new AcpDialogue();
    await dialogue.open();
    const id = await dialogue.prompt();
    dialogue.update({
      sessionUpdate: "session_info_update",
      _meta: { codex: { threadStatus: { type: "systemError" } } },
    });
    dialogue.say("We are out of capacity.\n\n");
    dialogue.write({ id, result: { stopReason: "end_turn" } });
    await vi.waitFor(() =>
      expect(dialogue.ends).toMatchObject([{ reason: "error", details: { message: "We are out of capacity." } }]),
    );
    expect(dialogue.ofType("assistant_text_delta")).toEqual([]);
  });

  test("of Gemini: usage beside the answer is usage", async () => {
    const dialogue = new AcpDialogue();
    await dialogue.open({}, {}, { name: "gemini-cli" });
    const id = await dialogue.prompt();
    dialogue.say("hi");
    const quota = { token_count: { input_tokens: 5, output_tokens: 2 } };
    dialogue.write({ id, result: { stopReason: "end_turn", _meta: { quota } } });
    await vi.waitFor(() => expect(dialogue.ends).toHaveLength(1));
    expect(dialogue.ends[0]).toMatchObject({ details: { tokenUsage: { inputTokens: 5, outputTokens: 2 } } });
  });
});
