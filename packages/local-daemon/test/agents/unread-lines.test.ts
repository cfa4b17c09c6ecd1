import { LIMITS, ProtocolError, TimeoutError } from "@daemon-sdk/protocol";
import { describe, expect, test } from "vitest";
import { JOURNAL_LIMITS } from "../../src/limits/index.js";
import { fixture, openAgent, type Running, startAgent } from "./agent-harness.js";

const OVER = LIMITS.agentLineBytes + 1024 * 1024;

const raw = (...how: string[]): readonly [string, ...string[]] => [
  process.execPath,
  fixture("raw-lines-agent.mjs"),
  ...how,
];
const notification = (fields: object) => ({
  type: "notification",
  method: "droid.session_notification",
  params: { notification: fields },
});
const delta = (textDelta: string) =>
  notification({ type: "assistant_text_delta", messageId: "m", blockIndex: 0, textDelta });
const permission = (input: string) => ({
  type: "request",
  id: "q-7",
  method: "droid.request_permission",
  params: { toolUses: [{ toolUse: { id: "t", name: "Create", input: { content: input } } }], options: [] },
});
const faults = ({ witness }: Running) => witness.of("fault").map(({ fault }) => fault);
/** Resolves when the agent has been heard up to here. */
const heard = (running: Running, text: string) =>
  running.witness.until(() => (running.witness.text.includes(text) ? true : undefined));

function write(running: Running, ...what: (string | object)[]): Promise<string> {
  return running.prompt(JSON.stringify(what));
}

describe("a message of an agent over the bound of a line", () => {
  test("has its text cut, with a mark that says what is missing and where it is, and the session is informed", async () => {
    await using running = await openAgent({ command: raw() });
    await write(running, delta(`@${OVER}`), delta("and on"));
    await heard(running, "and on");
    const [cut] = running.witness.typed("assistant_text_delta");
    const missing = OVER - JOURNAL_LIMITS.cutTextBytes;
    expect(String(cut?.textDelta)).toMatch(
      new RegExp(
        `^x{${JOURNAL_LIMITS.cutTextBytes}}\\n\\[${missing} bytes are missing here.*The agent has the whole.\\]$`,
      ),
    );
    expect(faults(running)).toEqual([
      {
        code: "MESSAGE_TOO_LARGE",
        message: expect.stringMatching(/^Agent "test" sent.*1782\d{4} bytes/),
        isLoss: false,
      },
    ]);
  });

  test("is refused by the id of its request, because a person must see all that is asked", async () => {
    await using running = await openAgent({ command: raw() });
    await write(running, permission(`@${OVER}`));
    await heard(running, "to q-7");
    expect(running.witness.text).toMatch(/answered \{"code":-32600,.*too large.*request_permission/);
    expect(running.witness.of("request")).toEqual([]);
    expect(faults(running)).toEqual([expect.objectContaining({ code: "MESSAGE_TOO_LARGE", isLoss: true })]);
  });

  test("is a loss that is reported where it can be neither cut nor answered", async () => {
    await using running = await openAgent({ command: raw() });
    await write(running, notification({ type: "create_message", message: { data: `@${OVER}` } }), delta("and on"));
    await heard(running, "and on");
    expect(faults(running)).toEqual([
      { code: "MESSAGE_TOO_LARGE", message: expect.stringMatching(/1782\d{4} bytes.*16777216/), isLoss: true },
    ]);
  });

  test("fails the call that it answers at once, and the agent lives", async () => {
    await using running = await openAgent({ command: raw() });
    const call = running.agent.call("list_skills", { bytes: OVER }, 60_000);
    await expect(call).rejects.toMatchObject({ code: "MESSAGE_TOO_LARGE", message: expect.stringContaining('"test"') });
    await expect(running.agent.call("list_skills", { bytes: 10 }, 60_000)).resolves.toHaveProperty("data");
    expect(faults(running)).toEqual([]);
  });
});

describe("a conversation", () => {
  test("is opened although the answer holds more messages than fit, and the agent gets the person's settings", async () => {
    await using running = await startAgent({ command: raw("conversation", String(OVER)) });
    const { sessionId, cwd } = running;
    const settings = { modelId: "chosen" };
    const ready = await running.agent.open({ sessionId, cwd, settings, resume: "own-id" });
    expect(ready).toMatchObject({ agentSessionId: "own-id", settings: { modelId: "chosen" } });
    await heard(running, "update_session_settings");
    expect(running.witness.text).toContain('{"modelId":"chosen","sessionId":"own-id"}');
    expect(faults(running)).toEqual([]);
  });

  test("is loaded without its messages where the agent lets the daemon choose", async () => {
    const script = `
      require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
        const { id, params } = JSON.parse(line);
        const result = { settings: { modelId: JSON.stringify(params), reasoningEffort: "none" }, session: {} };
        console.log(JSON.stringify({ jsonrpc: "2.0", factoryApiVersion: "1.0.0", type: "response", id, result }));
      });`;
    await using running = await startAgent({ command: [process.execPath, "-e", script] });
    const { sessionId, cwd } = running;
    const { settings } = await running.agent.open({ sessionId, cwd, settings: {}, resume: "own-id" });
    expect(JSON.parse(String(settings.modelId))).toMatchObject({ messageLimit: 1, loadAllMessages: false });
  });
});

describe("a line that is no message", () => {
  test.each(["bom", "banner"])("but ends with one (%s) is read, and reported once", async (opening) => {
    await using running = await openAgent({ command: raw(opening) });
    expect(faults(running)).toEqual([
      { code: "PROTOCOL_VIOLATION", message: expect.stringMatching(/"test".*stdout/), isLoss: false },
    ]);
  });

  test("but holds messages, with text before, between and after them, gives them in order", async () => {
    await using running = await openAgent({ command: raw() });
    const line = (text: string) => JSON.stringify({ jsonrpc: "2.0", factoryApiVersion: "1.0.0", ...delta(text) });
    await write(running, `Thinking {hard}... ${line("one")}${line('two "}{" ')} done\n`, delta("three"));
    await heard(running, "three");
    expect(running.witness.text).toBe('onetwo "}{" three');
    expect(faults(running)).toHaveLength(1);
  });

  test("although it is JSON is no more than text", async () => {
    await using running = await openAgent({ command: raw() });
    await write(running, '"a string"\n42\nnull\n[]\n{\n "ok": false\n}\n{"level":"info"}\n', delta("and on"));
    await heard(running, "and on");
    expect(faults(running)).toEqual([expect.objectContaining({ isLoss: false })]);
  });

  test("and was meant to be one is a loss, and answered by the id of its request", async () => {
    await using running = await openAgent({ command: raw() });
    const broken = JSON.stringify({ jsonrpc: "2.0", ...permission("x") }).slice(0, -2);
    await write(running, `${broken}\n`);
    await heard(running, "to q-7");
    expect(running.witness.text).toContain('"code":-32700');
    expect(faults(running)).toEqual([expect.objectContaining({ code: "PROTOCOL_VIOLATION", isLoss: true })]);
  });

  test("is reported once, however many there are", async () => {
    await using running = await openAgent({ command: raw() });
    await write(running, "x\n".repeat(50_000), delta("and on"));
    await heard(running, "and on");
    expect(faults(running)).toEqual([expect.objectContaining({ isLoss: false })]);
    expect(running.agent.counters.badFrames).toBe(50_000);
  });
});

describe("a start without an answer", () => {
  const open = ({ agent, sessionId, cwd }: Running) => agent.open({ sessionId, cwd, settings: {} });

  test("fails at once when the agent could not read the request, with what it said", async () => {
    await using running = await startAgent({ command: raw("parse-error") });
    const failure = await open(running).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ProtocolError);
    expect(failure).toMatchObject({ code: "REMOTE_ERROR", rpcCode: -32700 });
    expect(String(failure)).toMatch(/Agent "test".*Parse error.*Usage: agent --acp\n.*stderr:\ncannot parse/s);
  });

  test("fails after the time that the agent is configured with, with its name and what it said", async () => {
    await using running = await startAgent({ command: raw("silent"), spec: { startTimeoutMs: 1_000 } });
    const failure = await open(running).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TimeoutError);
    expect(String(failure)).toMatch(/agent "test".*1000 ms.*Need to install.*downloading 1 of 2000.*startTimeoutMs/s);
  });

  test("and a later call that could not be read fails at once as well", async () => {
    await using running = await openAgent({ command: raw() });
    await expect(running.agent.interrupt()).rejects.toMatchObject({ rpcCode: -32700 });
  });
});
