import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../cli/run-cli.js";
import { type DaemonHome, daemonHome } from "../rendezvous/daemon-home.js";
import { type Editor, type Frame, startEditor } from "./editor.js";

const SELECT = (optionId: string) => ({ outcome: { outcome: "selected", optionId } });

function answer(editor: Editor, { id }: Frame, result: object): void {
  editor.send({ id, result });
}

describe("local-daemon acp, with the built-in agent", () => {
  let home: DaemonHome;
  let work: string;

  beforeAll(() => {
    home = daemonHome();
    work = join(home.state, "..", "work");
    mkdirSync(work, { recursive: true });
  });

  afterAll(() => home[Symbol.asyncDispose]());

  test("it starts the daemon and says what it offers", async () => {
    await using run = startEditor(home.state);
    const about = await run.editor.open({ clientCapabilities: { session: { notices: {} } } });
    expect(about).toMatchObject({
      protocolVersion: 1,
      agentCapabilities: { loadSession: true, sessionCapabilities: { list: {}, resume: {}, close: {}, delete: {} } },
      authMethods: [],
      _meta: { daemonSdk: { agents: ["workspace-agent"] } },
    });
  });

  test("what was asked before stdin ended is answered, and a prompt's turn ends", async () => {
    await using run = startEditor(home.state);
    const { editor, child } = run;
    const [about, made] = [
      editor.begin("initialize", { protocolVersion: 1 }),
      editor.begin("session/new", { cwd: work, mcpServers: [] }),
    ];
    child.stdin?.end();
    expect((await editor.answerTo(about)).result).toMatchObject({ protocolVersion: 1 });
    const session = String((await editor.answerTo(made)).result?.sessionId);
    expect(await run.exitCode).toBe(0);
    await using later = startEditor(home.state);
    await later.editor.open();
    await later.editor.result("session/load", { sessionId: session, cwd: work, mcpServers: [] });
    const asked = later.editor.beginPrompt(session, "say goodbye");
    later.child.stdin?.end();
    expect((await later.editor.answerTo(asked)).result).toEqual({ stopReason: "end_turn" });
    expect(later.editor.text(session)).toContain("goodbye");
  });

  test("a prompt is streamed, with its tool, and answered once at its end", async () => {
    await using run = startEditor(home.state);
    const { editor } = run;
    await editor.open();
    const session = await editor.newSession(work);
    const { result } = await editor.prompt(session, "think quietly ; then list . ; then say hello there");
    expect(result).toEqual({ stopReason: "end_turn" });
    expect(editor.text(session)).toContain("hello there");
    expect(editor.text(session, "agent_thought_chunk")).toBe("quietly");
    const tools = editor.updates(session).filter(({ sessionUpdate }) => sessionUpdate.startsWith("tool_call"));
    expect(tools[0]).toMatchObject({ sessionUpdate: "tool_call", status: "pending" });
    expect(tools.filter(({ status }) => status === "completed")).toHaveLength(1);
    expect(editor.updates(session).map(({ sessionUpdate }) => sessionUpdate)).not.toContain("user_message_chunk");
  });

  test("an allowed tool runs, a refused one does not", async () => {
    await using run = startEditor(home.state);
    const { editor } = run;
    await editor.open();
    const session = await editor.newSession(work);
    const first = editor.beginPrompt(session, "write allowed.txt: yes");
    const asked = await editor.asked("session/request_permission");
    expect(asked.params).toMatchObject({
      sessionId: session,
      toolCall: { kind: "edit", status: "pending", content: [{ type: "diff", newText: "yes" }] },
    });
    const options = asked.params?.options as { optionId: string; kind: string }[];
    expect(options.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(["allow_once", "allow_always", "reject_once"]),
    );
    answer(editor, asked, SELECT("proceed_once"));
    expect((await editor.answerTo(first)).result).toEqual({ stopReason: "end_turn" });
    expect(readFileSync(join(work, "allowed.txt"), "utf8")).toBe("yes");

    const second = editor.beginPrompt(session, "write refused.txt: no");
    answer(editor, await editor.asked("session/request_permission", 2), SELECT("cancel"));
    expect((await editor.answerTo(second)).result).toHaveProperty("stopReason");
    expect(existsSync(join(work, "refused.txt"))).toBe(false);
  });

  test("a cancel ends the prompt as cancelled and withdraws its question; a late answer changes nothing", async () => {
    await using run = startEditor(home.state);
    const { editor } = run;
    await editor.open();
    const session = await editor.newSession(work);
    const prompt = editor.beginPrompt(session, "write late.txt: no");
    const asked = await editor.asked("session/request_permission");
    editor.send({ method: "session/cancel", params: { sessionId: session } });
    expect((await editor.answerTo(prompt)).result).toEqual({ stopReason: "cancelled" });
    expect((await editor.asked("$/cancel_request")).params).toEqual({ requestId: asked.id });
    answer(editor, asked, SELECT("proceed_once"));
    expect((await editor.prompt(session, "say still here")).result).toEqual({ stopReason: "end_turn" });
    expect(existsSync(join(work, "late.txt"))).toBe(false);
  });

  test("an editor that is closed and opened again finds its turn still running", async () => {
    let session = "";
    {
      await using run = startEditor(home.state);
      await run.editor.open();
      session = await run.editor.newSession(work);
      run.editor.beginPrompt(session, "count 200 every 10 ; then say counted");
      await run.editor.when(() => run.editor.text(session).length > 8);
      run.child.stdin?.end();
      expect(await run.exitCode).toBe(0);
    }
    await using again = startEditor(home.state);
    const { editor } = again;
    await editor.open();
    const loading = editor.begin("session/load", { sessionId: session, cwd: work, mcpServers: [] });
    await editor.answerTo(loading);
    expect(editor.text(session, "user_message_chunk")).toContain("count 200");
    const before = editor.text(session);
    expect(before.length).toBeGreaterThan(0);
    await editor.when(() => editor.text(session).includes("counted"));
    const numbers = editor.text(session).match(/\d+/g)?.map(Number) ?? [];
    expect(numbers).toEqual(Array.from({ length: 200 }, (_, place) => place + 1));
  });

  test("a session is listed with its directory, can be closed and loaded, and is deleted once", async () => {
    await using run = startEditor(home.state);
    const { editor } = run;
    await editor.open();
    const other = join(work, "listed");
    mkdirSync(other, { recursive: true });
    const session = await editor.newSession(other);
    await editor.prompt(session, "say listed");
    const { sessions } = await editor.result("session/list", { cwd: other });
    expect(sessions).toMatchObject([{ sessionId: session, cwd: other }]);
    expect((await editor.call("session/list", { cursor: "nonsense" })).error?.code).toBe(-32602);

    expect(await editor.result("session/close", { sessionId: session })).toEqual({});
    expect((await editor.prompt(session, "say no")).error?.code).toBe(-32002);
    await editor.result("session/resume", { sessionId: session, cwd: other });
    expect((await editor.prompt(session, "say again")).result).toEqual({ stopReason: "end_turn" });

    expect(await editor.result("session/delete", { sessionId: session })).toEqual({});
    expect(await editor.result("session/delete", { sessionId: session })).toEqual({});
    expect((await editor.result("session/list", { cwd: other })).sessions).toEqual([]);
  });

  test("two editors on one session see the same turn; a question answered in one is withdrawn in the other", async () => {
    await using one = startEditor(home.state);
    await using two = startEditor(home.state);
    await using third = startEditor(home.state, "--own-turns-only");
    await one.editor.open();
    const session = await one.editor.newSession(work);
    for (const { editor } of [two, third]) {
      await editor.open();
      await editor.result("session/load", { sessionId: session, cwd: work, mcpServers: [] });
    }
    const prompt = one.editor.beginPrompt(session, "write shared.txt: both ; then say shared");
    await one.editor.asked("session/request_permission");
    const asked = await two.editor.asked("session/request_permission");
    answer(two.editor, asked, SELECT("proceed_once"));
    expect((await one.editor.answerTo(prompt)).result).toEqual({ stopReason: "end_turn" });
    expect((await one.editor.asked("$/cancel_request")).params).toHaveProperty("requestId");
    await two.editor.when(() => two.editor.text(session).includes("shared"));
    expect(two.editor.text(session, "user_message_chunk")).toContain("write shared.txt");
    expect((await third.editor.prompt(session, "say mine")).result).toEqual({ stopReason: "end_turn" });
    expect(third.editor.text(session)).toContain("mine");
    expect(third.editor.text(session)).not.toContain("shared");
    expect(third.editor.frames.filter(({ method }) => method === "session/request_permission")).toEqual([]);
  });

  test("a question of the agent is a form where the editor has forms, and a text where not", async () => {
    await using run = startEditor(home.state);
    await run.editor.open({ clientCapabilities: { elicitation: { form: {} } } });
    const session = await run.editor.newSession(work);
    const prompt = run.editor.beginPrompt(session, "ask Which colour? red | blue");
    const asked = await run.editor.asked("elicitation/create");
    expect(asked.params).toMatchObject({ mode: "form", sessionId: session });
    answer(run.editor, asked, { action: "accept", content: { question1: "blue" } });
    expect((await run.editor.answerTo(prompt)).result).toEqual({ stopReason: "end_turn" });
    expect(JSON.stringify(run.editor.updates(session))).toContain("blue");

    await using plain = startEditor(home.state);
    await plain.editor.open();
    const second = await plain.editor.newSession(work);
    const waiting = plain.editor.beginPrompt(second, "ask Which colour? red | blue");
    await plain.editor.when(() => plain.editor.text(second).includes("no forms"));
    plain.editor.send({ method: "session/cancel", params: { sessionId: second } });
    expect((await plain.editor.answerTo(waiting)).result).toEqual({ stopReason: "cancelled" });
  });

  test("modes and options are set, and refused where they are not offered", async () => {
    await using run = startEditor(home.state);
    const { editor } = run;
    await editor.open();
    const opened = await editor.result("session/new", { cwd: work, mcpServers: [] });
    const session = String(opened.sessionId);
    expect(opened).toMatchObject({ modes: { currentModeId: "off" } });
    expect(await editor.result("session/set_mode", { sessionId: session, modeId: "high" })).toEqual({});
    expect((await editor.prompt(session, "write free.txt: yes")).result).toEqual({ stopReason: "end_turn" });
    expect(readFileSync(join(work, "free.txt"), "utf8")).toBe("yes");
    const set = { sessionId: session, configId: "autonomy" };
    const { configOptions } = await editor.result("session/set_config_option", { ...set, value: "off" });
    expect(configOptions).toContainEqual(expect.objectContaining({ id: "autonomy", currentValue: "off" }));
    expect((await editor.call("session/set_config_option", { ...set, value: "most" })).error?.code).toBe(-32602);
    expect((await editor.call("session/set_mode", { sessionId: session, modeId: "most" })).error?.code).toBe(-32602);
  });

  test("what is no request of the protocol gets the error of its kind", async () => {
    await using run = startEditor(home.state);
    const { editor } = run;
    await editor.open();
    const codeOf = async (method: string, params: object) => (await editor.call(method, params)).error?.code;
    expect(await codeOf("session/dance", {})).toBe(-32601);
    expect(await codeOf("session/new", { cwd: "relative", mcpServers: [] })).toBe(-32602);
    expect(await codeOf("session/prompt", { sessionId: "none", prompt: [] })).toBe(-32002);
    expect(await codeOf("session/load", { sessionId: "none", cwd: work, mcpServers: [] })).toBe(-32002);
    run.child.stdin?.write("no json\n[]\n");
    await editor.when(() => editor.frames.filter(({ id, error }) => id === null && error !== undefined).length === 2);
    expect(editor.frames.filter(({ id }) => id === null).map(({ error }) => error?.code)).toEqual([-32700, -32600]);
  });

  test("a daemon that was stopped is started by the next prompt, and nothing is sent twice", async () => {
    await using run = startEditor(home.state);
    const { editor } = run;
    await editor.open();
    const session = await editor.newSession(work);
    expect((await editor.prompt(session, "say before")).result).toEqual({ stopReason: "end_turn" });
    await runCli(home.state, "stop", "--now");
    expect((await editor.prompt(session, "say after")).result).toEqual({ stopReason: "end_turn" });
    expect(editor.text(session)).toMatch(/before[\s\S]*after/);
    expect(editor.text(session).match(/before/g)).toHaveLength(1);
  });

  test("a prompt whose daemon is killed ends once, with the reason", async () => {
    await using run = startEditor(home.state);
    const { editor } = run;
    await editor.open();
    const session = await editor.newSession(work);
    const prompt = editor.beginPrompt(session, "count 1000 every 20");
    await editor.when(() => editor.text(session).length > 0);
    process.kill(JSON.parse(home.read("endpoint.json")).pid, "SIGKILL");
    const { error } = await editor.answerTo(prompt);
    expect(error).toMatchObject({ code: -32603, data: { reason: "daemon_restarted" } });
    expect((await editor.prompt(session, "say after")).result).toEqual({ stopReason: "end_turn" });
    expect(editor.frames.filter(({ id, method }) => id === prompt && method === undefined)).toHaveLength(1);
  });
});
