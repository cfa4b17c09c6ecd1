import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { listMarkedProcesses } from "../../../src/agents/marked-processes.js";
import { AGENT_LIMITS } from "../../../src/limits/index.js";
import { fixture, openAgent, type Running, tempDir } from "../agent-harness.js";

interface Answer {
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number; readonly message: string };
}

const COMMAND: readonly [string, string] = [process.execPath, fixture("acp-client-calls.mjs")];
const TERM = { terminalId: "$T" };

/** An agent of a session that works in `project`, beside the daemon's state. */
async function agentIn(cwd: string, offers: { fs?: boolean; terminal?: boolean }): Promise<Running> {
  return openAgent({ command: COMMAND, cwd, spec: { driver: "acp", ...offers }, timings: { termGraceMs: 200 } });
}

/** Has the agent make calls in one turn; returns their answers. */
async function calls<Answers = Answer[]>(running: Running, steps: object): Promise<Answers> {
  const { witness } = running;
  const [turns, before] = [witness.of("ended").length, witness.text.length];
  await running.prompt(steps === CAPABILITIES ? "capabilities" : JSON.stringify(steps));
  await witness.turnEnd(turns + 1);
  return JSON.parse(witness.text.slice(before)) as Answers;
}
const CAPABILITIES = {};

const read = (path: string, more: object = {}) => ({ method: "fs/read_text_file", params: { path, ...more } });
const write = (path: string, content: string) => ({ method: "fs/write_text_file", params: { path, content } });
const create = (...args: string[]) => ({ method: "terminal/create", params: { command: "/bin/sh", args } });
const WAIT = { method: "terminal/wait_for_exit", params: TERM };
const OUTPUT = { method: "terminal/output", params: TERM };
const KILL = { method: "terminal/kill", params: TERM };
const RELEASE = { method: "terminal/release", params: TERM };

test("an agent is offered no files and no terminals unless its configuration says so", async () => {
  await using project = await tempDir();
  await using plain = await agentIn(project.path, {});
  expect(await calls(plain, CAPABILITIES)).toMatchObject([
    { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
  ]);
  const [file, terminal] = await calls(plain, [write(join(project.path, "a"), "x"), create("-c", "true")]);
  expect([file?.error?.code, terminal?.error?.code]).toEqual([-32601, -32601]);
  await using offered = await agentIn(project.path, { fs: true, terminal: true });
  expect(await calls(offered, CAPABILITIES)).toMatchObject([
    { fs: { readTextFile: true, writeTextFile: true }, terminal: true },
  ]);
});

describe("files of an ACP agent", () => {
  test("are read and written below the session's directory, by line where it asks so", async () => {
    await using project = await tempDir();
    await using running = await agentIn(project.path, { fs: true });
    const path = join(project.path, "new", "a.txt");
    const answers = await calls(running, [
      { all: [write(path, "one\ntwo\nthree\n"), read(path)] },
      read(path, { line: 2, limit: 1 }),
      read(join(project.path, "missing")),
    ]);
    expect(answers).toMatchObject([
      [{ result: {} }, { result: { content: "one\ntwo\nthree\n" } }],
      { result: { content: "two\n" } },
      { error: { code: -32002 } },
    ]);
    expect(await readFile(path, "utf8")).toBe("one\ntwo\nthree\n");
  });

  test("outside of it are refused, through links, too", async () => {
    await using project = await tempDir();
    await using outside = await tempDir();
    const secret = join(outside.path, "secret");
    await writeFile(secret, "secret");
    await symlink(secret, join(project.path, "file"));
    await symlink(outside.path, join(project.path, "folder"));
    await mkdir(join(project.path, "state"));
    await using running = await agentIn(project.path, { fs: true });
    const paths = [secret, "../secret", "a.txt", `${project.path}/../${secret}`];
    const linked = ["file", "folder/secret", "folder/new"].map((name) => join(project.path, name));
    const all = [...paths, ...linked].flatMap((path) => [read(path), write(path, "taken")]);
    const answers = await calls(running, all);
    expect(answers.map(({ error }) => error?.code)).toEqual(all.map(() => -32602));
    expect(await readFile(secret, "utf8")).toBe("secret");
  });

  test("of the daemon are closed, and a call for another session is refused", async () => {
    await using state = await tempDir();
    await using running = await openAgent({
      command: COMMAND,
      cwd: state.path,
      stateDir: state.path,
      spec: { driver: "acp", fs: true },
    });
    const other = { method: "fs/read_text_file", params: { sessionId: "a-2", path: join(state.path, "x") } };
    const answers = await calls(running, [write(join(state.path, "token"), "x"), other]);
    expect(answers).toMatchObject([{ error: { code: -32602 } }, { error: { code: -32602 } }]);
  });
});

describe("terminals of an ACP agent", () => {
  test("run in the session's directory with the variables of the call, and show both outputs in order", async () => {
    await using project = await tempDir();
    await using running = await agentIn(project.path, { terminal: true });
    const script = "pwd; echo $COLOUR >&2; echo $DAEMON_SDK_SESSION; exit 3";
    const env = [
      { name: "COLOUR", value: "blue" },
      { name: "DAEMON_SDK_SESSION", value: "another" },
    ];
    const answers = await calls(running, [
      { method: "terminal/create", params: { command: "/bin/sh", args: ["-c", script], env } },
      WAIT,
      OUTPUT,
      RELEASE,
      OUTPUT,
    ]);
    expect(answers).toMatchObject([
      { result: { terminalId: expect.any(String) } },
      { result: { exitCode: 3, signal: null } },
      {
        result: {
          output: `${project.path}\nblue\n${running.sessionId}\n`,
          truncated: false,
          exitStatus: { exitCode: 3 },
        },
      },
      { result: {} },
      { error: { code: -32602 } },
    ]);
  });

  test("outside of the session's directory are refused", async () => {
    await using project = await tempDir();
    await using running = await agentIn(project.path, { terminal: true });
    const params = { command: "/bin/sh", args: ["-c", "true"], cwd: "/" };
    expect(await calls(running, [{ method: "terminal/create", params }])).toMatchObject([{ error: { code: -32602 } }]);
  });

  test("keep the end of what they write, from a whole character on", async () => {
    await using project = await tempDir();
    await using running = await agentIn(project.path, { terminal: true });
    const params = { command: "/bin/sh", args: ["-c", "printf 'aaa€€b'"], outputByteLimit: 6 };
    const [, , output] = await calls(running, [{ method: "terminal/create", params }, WAIT, OUTPUT]);
    expect(output?.result).toMatchObject({ output: "€b", truncated: true });
  });

  test("that write without end are bounded, and can be killed", async () => {
    await using project = await tempDir();
    await using running = await agentIn(project.path, { terminal: true });
    const [, , wait, output] = await calls(running, [create("-c", "exec yes"), KILL, WAIT, OUTPUT]);
    expect(wait?.result).toMatchObject({ signal: "SIGTERM" });
    expect(String(output?.result?.output).length).toBeLessThanOrEqual(AGENT_LIMITS.terminalBytes);
  });

  test("give their output to the tool call that shows them", async () => {
    await using project = await tempDir();
    await using running = await agentIn(project.path, { terminal: true });
    const tool = (fields: object) => ({ update: { sessionUpdate: "tool_call_update", toolCallId: "t", ...fields } });
    const content = [{ type: "terminal", terminalId: "$T" }];
    await calls<unknown>(running, [
      create("-c", "echo done"),
      tool({ title: "Run", kind: "execute", rawInput: { command: "x" }, content }),
      WAIT,
      RELEASE,
      tool({ status: "completed" }),
    ]);
    expect(running.witness.typed("tool_result")).toMatchObject([{ content: "done\n", isError: false }]);
  });

  test.runIf(process.platform === "linux")("end with their turn, with all that they started", async () => {
    await using project = await tempDir();
    await using running = await agentIn(project.path, { terminal: true });
    const left = async () =>
      (await listMarkedProcesses()).filter(
        ({ sessionId, terminalId }) => sessionId === running.sessionId && terminalId !== undefined,
      );
    const escaping = create("-c", "trap '' TERM; setsid sleep 1000 & sleep 1000");
    await running.prompt(JSON.stringify([escaping, { hang: true }]));
    await running.witness.until(() => (running.witness.text.includes("hanging") ? true : undefined));
    await vi.waitFor(async () => expect(await left()).toHaveLength(3));
    await running.agent.interrupt();
    expect(await running.witness.turnEnd()).toMatchObject({ reason: "cancelled" });
    await vi.waitFor(async () => expect(await left()).toEqual([]), { timeout: 5_000 });
    // The agent lives, and its next turn has a terminal.
    expect(await calls(running, [create("-c", "true"), WAIT])).toMatchObject([{}, { result: { exitCode: 0 } }]);
  });

  test.runIf(process.platform === "linux")("end with their agent", async () => {
    await using project = await tempDir();
    const running = await agentIn(project.path, { terminal: true });
    await running.prompt(JSON.stringify([create("-c", "exec sleep 1000"), { hang: true }]));
    await running.witness.until(() => (running.witness.text.includes("hanging") ? true : undefined));
    await running[Symbol.asyncDispose]();
    const left = (await listMarkedProcesses()).filter(({ sessionId }) => sessionId === running.sessionId);
    expect(left).toEqual([]);
  });
});
