import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connectDaemon, DaemonConnection, DaemonSession, type DroidStreamEvent } from "@daemon-sdk/client";
import { connectInProcess, createSession, type ExecAgent, run } from "@daemon-sdk/client/exec";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { WORKSPACE_AGENT_PROGRAM } from "../contract/workspace-kit.js";
import { type DaemonProcess, startDaemonProcess } from "../support/daemon-process.js";
import { ROOT } from "../support/packages.js";

const ACP_AGENT = join(ROOT, "packages", "local-daemon", "test", "fixtures", "acp-echo.mjs");
/** Inside the repository, so that the packages are found; ignored by git. */
const CACHE = join(ROOT, "node_modules", ".cache", "daemon-sdk", "exec");

/** The embedded agent: from the sources there is no such file beside the daemon. */
const agent: ExecAgent = { command: [process.execPath, WORKSPACE_AGENT_PROGRAM] };
const allow = { permissionHandler: () => "proceed_once" as const };

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "exec-"));
});
afterEach(() => {
  for (const name of readdirSync(cwd)) rmSync(join(cwd, name), { recursive: true });
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

test("run() gives the result of one turn, and its agent has ended", async () => {
  const events: string[] = [];
  const result = await run("run echo $PPID > agent.pid", {
    agent,
    cwd,
    ...allow,
    onEvent: ({ type }) => events.push(type),
  });
  expect(result).toMatchObject({ type: "result", success: true });
  expect(events).toContain("tool_call");
  expect(isAlive(pidsIn("agent.pid"))).toEqual([false]);
});

test("a session streams turns, asks its handler, and takes its agent along when it is closed or detached", async () => {
  for (const end of ["close", "detach"] as const) {
    const asked: unknown[] = [];
    const session = await createSession({
      agent,
      cwd,
      permissionHandler({ toolUses }) {
        asked.push(toolUses[0]?.toolUse.name);
        return "proceed_once";
      },
    });
    expect(session).toBeInstanceOf(DaemonSession);
    const first = await collect(session.stream("write hello.txt: Hello"));
    expect(first.at(-1)).toMatchObject({ type: "result", success: true });
    expect(readFileSync(join(cwd, "hello.txt"), "utf8")).toContain("Hello");
    expect(asked).toHaveLength(1);
    await collect(session.stream("run echo $PPID > agent.pid"));
    const pids = pidsIn("agent.pid");
    expect(isAlive(pids)).toEqual([true]);
    await session[end]();
    expect(isAlive(pids)).toEqual([false]);
    await expect(session.send("more")).rejects.toMatchObject({ code: "SESSION_CLOSED" });
  }
});

test("one connection in the process holds several sessions, lists them, and ends them all", async () => {
  const connection = await connectInProcess({ agent, ...allow });
  expect(connection).toBeInstanceOf(DaemonConnection);
  const sessions = await Promise.all([1, 2, 3].map(() => connection.createSession({ cwd })));
  await Promise.all(sessions.map((session) => collect(session.stream("run echo $PPID >> agent.pid"))));
  const opened = await connection.listOpenedSessions();
  expect(new Set(opened.map(({ sessionId }) => sessionId))).toEqual(
    new Set(sessions.map(({ sessionId }) => sessionId)),
  );
  await sessions[0]?.close();
  expect(await connection.listOpenedSessions()).toHaveLength(2);
  await connection.close();
  expect(await connection.closed).toBeUndefined();
  expect(isAlive(pidsIn("agent.pid"))).toEqual([false, false, false]);
});

test("an agent that speaks ACP runs by the same driver as in the daemon", async () => {
  const acp: ExecAgent = { command: [process.execPath, ACP_AGENT], driver: "acp" };
  const result = await run("hello there", { agent: acp, cwd });
  expect(result).toMatchObject({ success: true });
  expect(result.text).toContain("hello there");
});

test("an abort ends the turn and the agent, and rejects with its reason", async () => {
  const control = new AbortController();
  const running = run("run echo $PPID > agent.pid; sleep 1000", { agent, cwd, ...allow, signal: control.signal });
  const outcome = expect(running).rejects.toThrow("enough");
  await fileWithText("agent.pid");
  const pids = pidsIn("agent.pid");
  control.abort(new TypeError("enough"));
  await outcome;
  expect(isAlive(pids)).toEqual([false]);
});

test("what cannot start rejects by name, and leaves nothing that holds the program", async () => {
  await expect(run("x", { agent: "no-such-agent", cwd })).rejects.toMatchObject({
    code: "INVALID_PARAMS",
    message: expect.stringContaining("workspace-agent"),
  });
  const missing: ExecAgent = { command: ["/nowhere/agent"] };
  await expect(run("x", { agent: missing, cwd })).rejects.toMatchObject({ code: "PROCESS_START_FAILED" });
  await expect(createSession({ agent: { command: [] as never } })).rejects.toMatchObject({ option: "agent.command" });
  await expect(createSession({ agent, autonomyLevel: "very" as never })).rejects.toMatchObject({
    option: "autonomyLevel",
  });
});

describe("beside a daemon", () => {
  let daemon: DaemonProcess;
  beforeAll(async () => {
    daemon = await startDaemonProcess();
  });
  afterAll(() => daemon.stop());

  test("the same prompts yield the same events", async () => {
    const prompts = ["stream 40 of 10 ; then say done", "write a.txt: b", "read a.txt"];
    await using connection = await connectDaemon(allow);
    await using there = await connection.createSession({ cwd: daemon.workspace });
    await using here = await createSession({ agent, cwd, ...allow });
    for (const prompt of prompts) {
      const [one, other] = await Promise.all(
        [there, here].map((session) => collect(session.stream(prompt, { includePartialMessages: true }))),
      );
      expect(one?.length).toBeGreaterThan(2);
      expect(shapeOf(other)).toEqual(shapeOf(one));
    }
  });
});

describe("a program of its own", () => {
  beforeAll(() => mkdirSync(CACHE, { recursive: true }));
  afterAll(() => rmSync(CACHE, { recursive: true, force: true }));

  /** Runs the code as a program with the built packages, in `cwd`, with a home of its own. */
  function start(name: string, code: string, home: string): ChildProcess {
    const path = join(CACHE, name);
    writeFileSync(path, code);
    const { PATH } = process.env;
    const env = { PATH, HOME: home, TMPDIR: home };
    return spawn(process.execPath, [path], { cwd, env, stdio: ["ignore", "inherit", "inherit"] });
  }

  test.each([
    ["module.mjs", 'import { run } from "@daemon-sdk/client/exec";'],
    ["common.cjs", 'const { run } = require("@daemon-sdk/client/exec");'],
  ])("needs no daemon, writes no file, and ends by itself: %s", async (name, load) => {
    const home = mkdtempSync(join(tmpdir(), "exec-home-"));
    const code = `${load}
      run("say Hello.").then(({ text }) => {
        if (text !== "Hello.") process.exit(4);
      });`;
    const [exitCode] = await once(start(name, code, home), "exit");
    expect(exitCode).toBe(0);
    expect(readdirSync(home)).toEqual([]);
    rmSync(home, { recursive: true });
  });

  test("is told what to install where the package that runs agents is missing", async () => {
    const code = `
      import { register } from "node:module";
      register("./without-package.mjs", import.meta.url);
      const { connectInProcess, createSession, run } = await import("@daemon-sdk/client/exec");
      for (const call of [() => run("say x"), createSession, connectInProcess]) {
        const error = await call().catch((error) => error);
        const isTold = error.code === "LOCAL_DAEMON_UNAVAILABLE" && error.message.includes("npm install @daemon-sdk/local-daemon");
        if (!isTold) throw error;
      }`;
    const hooks = `export async function resolve(specifier, context, next) {
      if (specifier.startsWith("@daemon-sdk/local-daemon")) throw new TypeError("not installed");
      return next(specifier, context);
    }`;
    writeFileSync(join(CACHE, "without-package.mjs"), hooks);
    const [exitCode] = await once(start("missing.mjs", code, cwd), "exit");
    expect(exitCode).toBe(0);
  });

  test("takes its agent and the agent's commands along when it is killed", async () => {
    const code = `
      import { run } from "@daemon-sdk/client/exec";
      await run("run echo $PPID $$ > agent.pid; trap '' TERM; sleep 1000", { permissionHandler: () => "proceed_once" });`;
    const program = start("killed.mjs", code, cwd);
    await fileWithText("agent.pid");
    const pids = pidsIn("agent.pid");
    expect(isAlive(pids)).toEqual([true, true]);
    program.kill("SIGKILL");
    await once(program, "exit");
    const deadline = performance.now() + 20_000;
    while (isAlive(pids).includes(true) && performance.now() < deadline) await delay(50);
    expect(isAlive(pids)).toEqual([false, false]);
  });
});

async function collect(stream: AsyncIterable<DroidStreamEvent>): Promise<DroidStreamEvent[]> {
  const events: DroidStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** The events without what differs from run to run: ids and times. Pieces of one text count as one. */
function shapeOf(events: readonly DroidStreamEvent[] | undefined): unknown[] {
  const shape: { type: string; text?: string }[] = [];
  for (const event of events ?? []) {
    const text = "text" in event && typeof event.text === "string" ? { text: event.text } : {};
    const last = shape.at(-1);
    if (last?.type === event.type && text.text !== undefined) last.text = `${last.text}${text.text}`;
    else shape.push({ type: event.type, ...text });
  }
  return shape;
}

async function fileWithText(name: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  const hasText = () => existsSync(join(cwd, name)) && readFileSync(join(cwd, name), "utf8").endsWith("\n");
  while (!hasText() && performance.now() < deadline) await delay(20);
}

function pidsIn(name: string): number[] {
  return readFileSync(join(cwd, name), "utf8").trim().split(/\s+/).map(Number);
}

function isAlive(pids: readonly number[]): boolean[] {
  return pids.map((pid) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  });
}
