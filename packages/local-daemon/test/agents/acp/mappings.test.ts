import { describe, expect, test } from "vitest";
import { ElicitationForm } from "../../../src/agents/drivers/acp/elicitation.js";
import { acpMcpServers } from "../../../src/agents/drivers/acp/mcp-servers.js";
import { PermissionOptions } from "../../../src/agents/drivers/acp/permission.js";
import { SessionOptions } from "../../../src/agents/drivers/acp/session-options.js";
import { ToolCall } from "../../../src/agents/drivers/acp/tool-call.js";

describe("permission options", () => {
  const of = (...kinds: string[]) =>
    new PermissionOptions(kinds.map((kind, place) => ({ optionId: `o${place}`, name: kind, kind })));

  test("several that allow always keep their own values; the first is also proceed_always", () => {
    const options = of("allow_always", "allow_always", "allow_once", "reject_once", "reject_always");
    expect(options.offered.map(({ value }) => value)).toEqual(["acp:o0", "acp:o1", "proceed_once", "cancel", "acp:o4"]);
    expect(options.outcomeOf("proceed_always")).toEqual({ outcome: { outcome: "selected", optionId: "o0" } });
  });

  test("without one that rejects, cancel is the outcome cancelled", () => {
    const options = of("allow_once");
    expect(options.offered.at(-1)).toEqual({ label: "Cancel", value: "cancel" });
    expect(options.outcomeOf("cancel")).toEqual({ outcome: { outcome: "cancelled" } });
  });

  test("a value that was not offered is no permission", () => {
    expect(of("allow_once", "reject_once").outcomeOf("proceed_auto_run_high")).toEqual({
      outcome: { outcome: "cancelled" },
    });
  });
});

describe("a form", () => {
  const form = new ElicitationForm({
    message: "Which?",
    requestedSchema: {
      required: ["colour"],
      properties: {
        colour: {
          oneOf: [
            { const: "b", title: "Blue" },
            { const: "g", title: "Green" },
          ],
        },
        count: { type: "integer" },
        sure: { type: "boolean" },
        tags: { type: "array", items: { enum: ["x", "y"] } },
      },
    },
  });
  const answers = (...texts: string[]) => ({
    answers: texts.map((answer, place) => ({ index: place + 1, question: "", answer })),
  });

  test("is one question a property, with the titles of its choices", () => {
    expect(form.questions.map(({ index, topic, options }) => ({ index, topic, options }))).toEqual([
      { index: 1, topic: "colour", options: ["Blue", "Green"] },
      { index: 2, topic: "count", options: [] },
      { index: 3, topic: "sure", options: ["Yes", "No"] },
      { index: 4, topic: "tags", options: ["x", "y"] },
    ]);
  });

  test("gets values back, and leaves out what was not answered", () => {
    expect(form.answer(answers("Green", "3", "No", "x, y"))).toEqual({
      action: "accept",
      content: { colour: "g", count: 3, sure: false, tags: ["x", "y"] },
    });
    expect(form.answer(answers("Blue"))).toEqual({ action: "accept", content: { colour: "b" } });
  });

  test("is declined without a required value, and cancelled when nobody answers", () => {
    expect(form.answer(answers("Red"))).toEqual({ action: "decline" });
    expect(form.answer({ cancelled: true, answers: [] })).toEqual({ action: "cancel" });
  });
});

describe("session options", () => {
  test("of the newest generation are used alone, groups included", () => {
    const options = SessionOptions.from({
      configOptions: [
        {
          id: "m",
          name: "Model",
          category: "model",
          currentValue: "a",
          options: [{ group: "g", options: [{ value: "a" }, { value: "b" }] }],
        },
        {
          id: "effort",
          name: "Effort",
          category: "thought_level",
          currentValue: "low",
          options: [{ value: "low" }, { value: "high" }],
        },
        { id: "fast", name: "Fast", currentValue: false },
      ],
      models: { currentModelId: "z", availableModels: [] },
    });
    expect(options.modelId).toBe("a");
    expect(options.callsFor({ modelId: "b", reasoningEffort: "high", agentOptions: { fast: true } })).toEqual([
      { method: "session/set_config_option", params: { configId: "m", value: "b" } },
      { method: "session/set_config_option", params: { configId: "effort", value: "high" } },
      { method: "session/set_config_option", params: { configId: "fast", value: true, type: "boolean" } },
    ]);
  });

  test("of older agents are modes and models", () => {
    const options = SessionOptions.from({
      modes: { currentModeId: "default", availableModes: [{ id: "default" }, { id: "plan" }] },
      models: { currentModelId: "a", availableModels: [{ modelId: "a" }, { modelId: "b", name: "B" }] },
    });
    expect(options.models).toEqual([
      { id: "a", displayName: "a" },
      { id: "b", displayName: "B" },
    ]);
    expect(options.callsFor({ modelId: "b", interactionMode: "spec" })).toEqual([
      { method: "session/set_model", params: { modelId: "b" } },
      { method: "session/set_mode", params: { modeId: "plan" } },
    ]);
  });

  test("are not called for a value that the agent has or does not offer", () => {
    const options = SessionOptions.from({ models: { currentModelId: "a", availableModels: [{ modelId: "a" }] } });
    expect(options.callsFor({ modelId: "a" })).toEqual([]);
    expect(options.callsFor({ modelId: "unknown", reasoningEffort: "high" })).toEqual([]);
  });
});

describe("a tool call", () => {
  test("is named by its name, its agent's own name, or its kind, and never by its title", () => {
    const named = (update: object) => {
      const tool = new ToolCall("t");
      tool.merge({ title: "rm -rf /", ...update });
      return tool.name;
    };
    expect(named({ name: "exec_command", kind: "execute" })).toBe("exec_command");
    expect(named({ _meta: { toolName: "run_shell" } })).toBe("run_shell");
    expect(named({ kind: "execute" })).toBe("Execute");
    expect(named({})).toBe("other");
  });

  test("reports of growing output what was added", () => {
    const tool = new ToolCall("t");
    const content = (text: string) => ({ content: [{ type: "content", content: { type: "text", text } }] });
    tool.merge({ rawInput: { command: "x" } });
    const parts = ["a\n", "a\nb\n", "c\n"].map((text) => {
      tool.merge(content(text));
      return tool.takeProgress(content(text));
    });
    expect(parts).toEqual(["a\n", "b\n", "c\n"]);
  });
});

test("MCP servers go without a type on stdio, and only where their transport is offered", () => {
  const configs = [
    { name: "s", command: "c", args: ["a"], env: { K: "v" } },
    { name: "h", type: "http" as const, url: "http://x" },
  ];
  expect(acpMcpServers(configs, {})).toEqual({
    servers: [{ name: "s", command: "c", args: ["a"], env: [{ name: "K", value: "v" }] }],
    refused: ["h"],
  });
  expect(acpMcpServers(configs, { mcpCapabilities: { http: true } }).refused).toEqual([]);
});
