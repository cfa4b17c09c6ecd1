import { describe, expect, test } from "vitest";
import {
  elicitationAnswer,
  elicitationForm,
  faultOf,
  permissionAnswer,
  permissionQuestion,
  promptOf,
  SessionChoices,
  SessionUpdates,
} from "../../src/acp-face/mapping/index.js";

const use = (id: string, name: string, input: object) => ({ type: "tool_use" as const, id, name, input });

describe("a prompt", () => {
  test("is texts and links in their order, with images and files beside it", () => {
    expect(
      promptOf([
        { type: "text", text: "Look at" },
        { type: "resource_link", name: "a.ts", uri: "file:///w/a.ts" },
        { type: "image", data: "aGk=", mimeType: "image/png" },
        { type: "resource", resource: { uri: "file:///w/b.md", text: "# b", mimeType: "text/markdown" } },
        { type: "resource", resource: { uri: "file:///w/c.pdf", blob: "aGk=", mimeType: "application/pdf" } },
      ]),
    ).toEqual({
      text: "Look at\n[a.ts](file:///w/a.ts)",
      images: [{ type: "base64", data: "aGk=", mediaType: "image/png" }],
      files: [
        { type: "text", mediaType: "text/plain", data: "# b", name: "file:///w/b.md", mime: "text/markdown" },
        { type: "base64", mediaType: "application/pdf", data: "aGk=", name: "file:///w/c.pdf" },
      ],
    });
  });

  test.each([[{ type: "audio", data: "", mimeType: "audio/wav" }], ["text"], [{ type: "resource", resource: {} }]])(
    "with %o is refused as wrong params",
    (block) => expect(() => promptOf([block])).toThrow(expect.objectContaining({ rpcCode: -32602 })),
  );
});

describe("a permission", () => {
  test("about an edit shows the difference, about a new file no old text", () => {
    const question = (details: object) =>
      permissionQuestion({
        toolUses: [{ toolUse: use("t", "Edit", {}), confirmationType: "edit", details: details as never }],
        options: [],
      }).toolCall;
    const edit = { type: "edit", filePath: "/w/a", fileName: "a", oldContent: "1", newContent: "2" };
    expect(question(edit)).toMatchObject({
      kind: "edit",
      content: [{ type: "diff", path: "/w/a", oldText: "1", newText: "2" }],
    });
    const create = { type: "create", filePath: "/w/a", fileName: "a", content: "2" };
    expect(question(create)).toMatchObject({ content: [{ oldText: null, newText: "2" }] });
  });

  test("for several tools names all; an option of the agent's own keeps its kind", () => {
    const toolUses = ["ls", "pwd"].map((command) => ({
      ...{ toolUse: use(command, "Execute", { command }), confirmationType: "exec" },
      details: { type: "exec" as const },
    }));
    const options = [
      { label: "Never", value: "acp:never", kind: "reject_always" },
      { label: "Server", value: "proceed_always_server" },
    ];
    const { toolCall, options: offered } = permissionQuestion({ toolUses, options });
    expect(toolCall).toMatchObject({ toolCallId: "ls", title: "Execute ls; Execute pwd" });
    expect(offered.map(({ kind }) => kind)).toEqual(["reject_always", "allow_always"]);
  });

  test.each([
    [{ outcome: { outcome: "selected", optionId: "acp:x" } }, "acp:x"],
    [{ outcome: { outcome: "cancelled" } }, "cancel"],
    [{ outcome: { outcome: "selected" } }, "cancel"],
    [{}, "cancel"],
    [undefined, "cancel"],
  ])("the answer %o selects %s", (answer, selectedOption) => {
    expect(permissionAnswer(answer)).toEqual({ selectedOption });
  });
});

test("a question's own answer goes before the chosen one, and what is not accepted is cancelled", () => {
  const asked = {
    sessionId: "s",
    toolCallId: "t",
    questions: [{ index: 1, topic: "", question: "Which?", options: ["a", "b"] }],
  };
  expect(elicitationForm("s", asked)).toMatchObject({
    requestedSchema: {
      properties: { question1: { oneOf: [{ const: "a" }, { const: "b" }] }, other1: { type: "string" } },
    },
  });
  const answer = (content: object) => elicitationAnswer(asked, { action: "accept", content }).answers[0]?.answer;
  expect(answer({ question1: "a" })).toBe("a");
  expect(answer({ question1: "a", other1: "c" })).toBe("c");
  for (const action of ["decline", "cancel"])
    expect(elicitationAnswer(asked, { action })).toMatchObject({ cancelled: true });
});

describe("options", () => {
  const choices = (hasBooleans: boolean) =>
    new SessionChoices({ hasBooleans, agents: () => ({ names: ["one"], next: undefined }) });

  test("that are true or false are shown to editors that show such, and set with a boolean", () => {
    const fast = { id: "fast", name: "Fast", value: false };
    const shown = choices(true);
    shown.reset({ agentOptions: [fast] });
    expect(shown.list()).toEqual([{ type: "boolean", id: "fast", name: "Fast", currentValue: false }]);
    expect(shown.settingsFor("fast", true)).toEqual({ agentOptions: { fast: true } });
    expect(() => shown.settingsFor("fast", "true")).toThrow(expect.objectContaining({ rpcCode: -32602 }));
    const hidden = choices(false);
    hidden.reset({ agentOptions: [fast] });
    expect(hidden.list()).toEqual([]);
  });

  test("that a person asked for before the agent started change the list that is known", () => {
    const known = choices(true);
    known.reset({
      agentOptions: [
        {
          id: "m",
          name: "M",
          value: "a",
          values: [
            { value: "a", name: "A" },
            { value: "b", name: "B" },
          ],
        },
      ],
    });
    known.answer();
    known.merge({ agentOptions: { m: "b" } });
    expect(known.updates()).toMatchObject([
      { sessionUpdate: "config_option_update", configOptions: [{ currentValue: "b" }] },
    ]);
    expect(known.updates()).toEqual([]);
  });
});

describe("updates", () => {
  const make = (offered: boolean) =>
    new SessionUpdates({
      choices: new SessionChoices({ hasBooleans: true, agents: () => ({ names: [], next: undefined }) }),
      ...{ notices: offered, compaction: offered, ownTurnsOnly: false, isOwn: () => false },
    });
  const message = (content: object[]) => ({
    type: "create_message",
    message: { id: "a", role: "assistant", content, createdAt: 1, updatedAt: 1 },
  });

  test("repeat no text that came in deltas, and send what did not", () => {
    const updates = make(false);
    updates.read({ type: "assistant_text_delta", messageId: "a", blockIndex: 1, textDelta: "x" });
    const whole = message([
      { type: "thinking", thinking: "hm" },
      { type: "text", text: "x" },
      { type: "image", source: { data: "aGk=", mediaType: "image/png" } },
    ]);
    expect(updates.read(whole)).toEqual([
      { sessionUpdate: "agent_thought_chunk", messageId: "a", content: { type: "text", text: "hm" } },
      {
        sessionUpdate: "agent_message_chunk",
        messageId: "a",
        content: { type: "image", data: "aGk=", mimeType: "image/png" },
      },
    ]);
  });

  test("announce a tool once, send a field when it changes, and leave no tool open at the end of the turn", () => {
    const updates = make(false);
    const call = { type: "tool_call", toolUse: use("t", "Execute", {}) };
    expect(updates.read(call)).toMatchObject([
      { sessionUpdate: "tool_call", title: "Execute", kind: "execute", status: "pending" },
    ]);
    expect(updates.read(call)).toEqual([]);
    expect(updates.read({ ...call, toolUse: use("t", "Execute", { command: "ls" }) })).toEqual([
      { sessionUpdate: "tool_call_update", toolCallId: "t", rawInput: { command: "ls" }, title: "Execute ls" },
    ]);
    const part = (text: string) =>
      updates.read({
        type: "tool_progress_update",
        toolUseId: "t",
        toolName: "Execute",
        update: { type: "message", text },
      });
    expect(part("a")).toMatchObject([{ status: "in_progress" }]);
    expect(part("b")).toMatchObject([{ content: [{ type: "content", content: { text: "ab" } }] }]);
    const end = { type: "agent_turn_completed", reason: "agent_exited", turnId: "m" };
    expect(updates.read(end)).toEqual([{ sessionUpdate: "tool_call_update", toolCallId: "t", status: "failed" }]);
  });

  test("hold notices and compactions for editors that show such", () => {
    const [shown, hidden] = [make(true), make(false)];
    const told = [
      { type: "session_notice", code: "AGENTS_BUSY", message: "wait", timestamp: 1 },
      { type: "droid_working_state_changed", newState: "compacting_conversation" },
      { type: "session_compacted", summaryId: "s", removedCount: 1, visibleBoundaryMessageId: null },
    ];
    expect(told.flatMap((one) => shown.read(one))).toMatchObject([
      { sessionUpdate: "notice", severity: "warning", title: "wait", description: "AGENTS_BUSY" },
      { sessionUpdate: "compaction_update", status: "in_progress" },
      { sessionUpdate: "compaction_update", status: "completed" },
    ]);
    expect(told.flatMap((one) => hidden.read(one))).toEqual([]);
  });

  test("drop what is malformed, and words of a plan that version 1 does not have become neutral ones", () => {
    const updates = make(true);
    expect(updates.read({ type: "tool_call" })).toEqual([]);
    const entries = [{ content: "c", status: "abandoned", priority: "urgent" }];
    expect(updates.read({ type: "plan_changed", entries })).toEqual([
      { sessionUpdate: "plan", entries: [{ content: "c", status: "pending", priority: "medium" }] },
    ]);
  });
});

test("an error that is no failure of ours says nothing of its text", () => {
  expect(faultOf(new RangeError("a secret"))).toMatchObject({ rpcCode: -32603, message: "Internal error" });
});
