import { describe, expect, expectTypeOf, test } from "vitest";
import type * as z from "zod/mini";
import {
  type InitializeSessionParams,
  LIMITS,
  type LoadSessionResult,
  METHODS,
  methodNamed,
  OTHER_METHOD_NAMES,
} from "../../src/index.js";
import { METHOD_SCHEMAS, schemasOf } from "../../src/schema.js";
import { message, usage } from "./examples.js";

const accepts = (schema: z.ZodMiniType, value: unknown) => schema.safeParse(value).success;

describe("the method table", () => {
  test("every method has schemas under its key and under its wire name", () => {
    expect(new Set(Object.keys(METHOD_SCHEMAS))).toEqual(new Set(Object.keys(METHODS)));
    for (const [key, method] of Object.entries(METHODS)) {
      expect(schemasOf(method.name)).toBe(METHOD_SCHEMAS[key as keyof typeof METHODS]);
      expect(methodNamed(method.name)).toBe(method);
    }
  });

  test("the output of a schema is the type of the table", () => {
    expectTypeOf<z.infer<typeof METHOD_SCHEMAS.initializeSession.params>>().toEqualTypeOf<InitializeSessionParams>();
    expectTypeOf<z.infer<typeof METHOD_SCHEMAS.loadSession.result>>().toEqualTypeOf<LoadSessionResult>();
  });

  test("names are unique, and no other method is listed twice", () => {
    const names = [...Object.values(METHODS).map(({ name }) => name), ...OTHER_METHOD_NAMES];
    expect(new Set(names).size).toBe(names.length);
  });

  test.each(["constructor", "__proto__", "toString", ""])("%j is no method", (name) => {
    expect(methodNamed(name)).toBeUndefined();
    expect(schemasOf(name)).toBeUndefined();
  });

  // docs/wire/session.md#time-outs
  test("time-outs are those of the wire", () => {
    const timeouts = Object.fromEntries(Object.values(METHODS).map(({ name, timeoutMs }) => [name, timeoutMs]));
    expect(timeouts).toMatchObject({
      authenticate: 30_000,
      initialize_session: 60_000,
      load_session: 60_000,
      compact_session: 240_000,
      get_rewind_info: 60_000,
      execute_rewind: 60_000,
      authenticate_mcp_server: 300_000,
      request_permission: 0,
    });
  });
});

describe("params", () => {
  test("every method about a session wants its id, and not an empty one", () => {
    for (const [key, { scope }] of Object.entries(METHODS)) {
      if (scope === "connection") continue;
      const { params } = METHOD_SCHEMAS[key as keyof typeof METHODS];
      const issues = params.safeParse({ sessionId: 7 }).error?.issues ?? [];
      expect(issues.map(({ path }) => path[0])).toContain("sessionId");
    }
    expect(accepts(METHOD_SCHEMAS.interruptSession.params, { sessionId: "" })).toBe(false);
    expect(accepts(METHOD_SCHEMAS.interruptSession.params, { sessionId: "s", newer: 1 })).toBe(true);
  });

  // docs/wire/session.md#authentication
  test("authenticate wants a caller and one kind of credential", () => {
    const { params } = METHOD_SCHEMAS.authenticate;
    for (const credential of [{ apiKey: "k" }, { token: "t" }, { proof: "p" }]) {
      expect(accepts(params, { caller: "c", ...credential })).toBe(true);
      expect(accepts(params, credential)).toBe(false);
    }
    expect(accepts(params, { caller: "c" })).toBe(false);
    expect(accepts(params, { caller: "c", apiKey: 1 })).toBe(false);
  });

  // docs/wire/session.md#authentication
  test("logout takes exactly {}", () => {
    expect(accepts(METHOD_SCHEMAS.logout.params, {})).toBe(true);
    expect(accepts(METHOD_SCHEMAS.logout.params, { a: 1 })).toBe(false);
  });

  // docs/wire/session.md#start-of-a-session
  test("initialize_session takes what the original SDK sends, MCP servers of both kinds included", () => {
    const params = {
      token: "t",
      machineId: "default",
      cwd: ".",
      autonomyLevel: "a newer level",
      tags: [{ name: "sdk", metadata: { language: "typescript" } }],
      mcpServers: [
        { name: "a", command: "npx", args: ["x"], env: { A: "b" } },
        { type: "http", name: "b", url: "http://127.0.0.1/mcp", headers: [{ name: "x", value: "y" }] },
      ],
    };
    const { params: schema } = METHOD_SCHEMAS.initializeSession;
    expect(accepts(schema, params)).toBe(true);
    expect(accepts(schema, { ...params, token: undefined })).toBe(false);
    expect(accepts(schema, { ...params, mcpServers: [{ type: "http", name: "b" }] })).toBe(false);
  });

  // docs/wire/session.md#session-calls
  test("a page is 1 to 100", () => {
    const { params } = METHOD_SCHEMAS.getSessionMessages;
    for (const limit of [1, LIMITS.messagePageMax]) expect(accepts(params, { sessionId: "s", limit })).toBe(true);
    for (const limit of [0, 101, 500, 1.5, "10", null]) expect(accepts(params, { sessionId: "s", limit })).toBe(false);
  });

  test("images and files are as in docs/wire/session.md#prompts-and-interrupts", () => {
    const { params } = METHOD_SCHEMAS.addUserMessage;
    const prompt = { sessionId: "s", text: "look", messageId: "m" };
    const images = [{ type: "base64", data: "aGk=", mediaType: "image/png" }];
    const files = [
      { type: "base64", mediaType: "application/pdf", data: "aGk=" },
      { type: "text", mediaType: "text/plain", data: "hi", name: "a.txt" },
    ];
    expect(accepts(params, { ...prompt, images, files, outputFormat: { type: "json_schema", schema: {} } })).toBe(true);
    expect(accepts(params, { ...prompt, images: [{ type: "url", data: "x", mediaType: "image/png" }] })).toBe(false);
    expect(accepts(params, { ...prompt, files: [{ type: "text", mediaType: "text/html", data: "x" }] })).toBe(false);
  });
});

describe("results", () => {
  // docs/wire/session.md#acknowledgements
  test("calls that a newer daemon may acknowledge take {}, an acknowledgement, or their own", () => {
    for (const result of [{}, { accepted: true }]) {
      expect(accepts(METHOD_SCHEMAS.addUserMessage.result, result)).toBe(true);
      expect(accepts(METHOD_SCHEMAS.updateSessionSettings.result, result)).toBe(true);
      expect(accepts(METHOD_SCHEMAS.renameSession.result, result)).toBe(true);
    }
    expect(accepts(METHOD_SCHEMAS.renameSession.result, { success: true })).toBe(true);
  });

  // docs/wire/session.md#load-of-a-session
  test("load_session answers without a sessionId, with what waits for an answer", () => {
    const toolUse = { type: "tool_use", id: "t", name: "Execute", input: {} };
    const options = [{ label: "Yes", value: "proceed_always_file", selectedColor: "#d78700" }];
    const toolUses = [{ toolUse, confirmationType: "exec", details: { type: "exec", command: "ls" } }];
    const result = {
      session: { messages: [message] },
      settings: { modelId: "m", reasoningEffort: "none" },
      pendingPermissions: [{ requestId: "p", toolUses, options }],
      pendingAskUserRequests: [{ requestId: "a", toolCallId: "t", questions: [] }],
      queuedMessages: [{ sessionId: "s", requestId: "r", text: "later" }],
      tokenUsage: usage,
      position: { epoch: 1, seq: 0 },
    };
    expect(accepts(METHOD_SCHEMAS.loadSession.result, result)).toBe(true);
    expect(accepts(METHOD_SCHEMAS.loadSession.result, { ...result, settings: {} })).toBe(false);
  });

  test("initialize_session has to name the session: routing hangs on it", () => {
    const result = { session: { messages: [] }, settings: { modelId: "m", reasoningEffort: "none" } };
    expect(accepts(METHOD_SCHEMAS.initializeSession.result, { ...result, sessionId: "s" })).toBe(true);
    expect(accepts(METHOD_SCHEMAS.initializeSession.result, result)).toBe(false);
  });

  // docs/wire/session.md#permission-requests
  test("proceed_edit needs the edited text, and answers as bare strings are refused", () => {
    const { result: permission } = METHOD_SCHEMAS.requestPermission;
    expect(accepts(permission, { selectedOption: "proceed_once", sessionId: "s" })).toBe(true);
    expect(accepts(permission, { selectedOption: "proceed_edit" })).toBe(false);
    expect(accepts(permission, { selectedOption: "proceed_edit", editedSpecContent: "" })).toBe(true);
    const { result: answers } = METHOD_SCHEMAS.askUser;
    expect(accepts(answers, { cancelled: true, answers: [] })).toBe(true);
    expect(accepts(answers, { answers: ["yes"] })).toBe(false);
  });
});
