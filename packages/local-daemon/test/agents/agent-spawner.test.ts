import { execFile } from "node:child_process";
import { realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { newId, type SessionId, silentLogger, TimeoutError } from "@daemon-sdk/protocol";
import { buildSync } from "esbuild";
import { describe, expect, test } from "vitest";
import { createAgentSpawner, WORKSPACE_AGENT } from "../../src/agents/agent-spawner.js";
import { sparingLogger } from "../../src/agents/drivers/sparing-logger.js";
import { agentStateDirOf } from "../../src/agents/environment.js";
import { listMarkedProcesses } from "../../src/agents/marked-processes.js";
import { processStartError } from "../../src/agents/process-start-error.js";
import { fixture, misbehaving, openAgent, processState, tempDir, Witness } from "./agent-harness.js";

const spec = { name: "test", driver: "stream-jsonrpc", command: misbehaving() } as const;

describe("createAgentSpawner", () => {
  test("gives a session one agent at a time, and the next one only when nothing of the former is left", async () => {
    await using directory = await tempDir();
    const sessionId = newId<SessionId>();
    const spawner = createAgentSpawner({ instanceId: newId(), stateDir: directory.path, logger: silentLogger });
    const spawn = () => spawner.spawn(spec, sessionId, directory.path, new Witness());
    const first = await spawn();
    await expect(spawn()).rejects.toMatchObject({ code: "SESSION_STATE" });
    const ended = first.stop();
    const second = await spawn();
    expect([undefined, "Z"]).toContain(await processState(first.pid));
    expect(await processState(second.pid)).toMatch(/[RSD]/);
    await ended;
    await second.stop();
  });

  test("makes the directory for agents' conversations, for this user only", async () => {
    await using running = await openAgent({ command: misbehaving() });
    expect((await stat(agentStateDirOf(running.stateDir))).mode & 0o777).toBe(0o700);
  });

  test("names each process by pid and start time", async () => {
    await using one = await openAgent({ command: misbehaving() });
    expect(one.agent.startTime).toMatch(/^[0-9a-f-]+\/\d+$/);
    expect(one.agent.pid).toBeGreaterThan(1);
  });

  test("starts the embedded agent with the Node that runs the daemon", () => {
    expect(WORKSPACE_AGENT("/dist/workspace-agent.cjs").command).toEqual([
      process.execPath,
      "/dist/workspace-agent.cjs",
    ]);
  });
});

describe("launch", () => {
  const program = (how: string) => ({
    name: "program",
    driver: "relay" as const,
    command: [process.execPath, fixture("relay-program.mjs"), how] as const,
    env: { RELAY_AGENT_NAME: "Worker" },
  });
  const spawnerIn = (stateDir: string) =>
    createAgentSpawner({
      instanceId: newId(),
      stateDir,
      logger: silentLogger,
      env: { PATH: process.env.PATH, SECRET: "x" },
    });

  test("gives a program that connects by itself its own variables and none of the daemon's secrets", async () => {
    await using directory = await tempDir();
    const launched = await spawnerIn(directory.path).launch(program("polite"), newId<SessionId>(), directory.path);
    expect(launched.write("one line\n")).toBe(true);
    const { stderr, expected, exitCode } = await launched.stop();
    expect(stderr).toBe('{"RELAY_AGENT_NAME":"Worker"}\nheard one line');
    expect({ expected, exitCode }).toEqual({ expected: true, exitCode: 0 });
    expect(launched.write("too late")).toBe(false);
  });

  test("starts a program in the directory of its configuration, and otherwise in the session's", async () => {
    await using directory = await tempDir();
    await using other = await tempDir();
    const where = async (cwd: string | undefined) => {
      const spec = { name: "where", driver: "relay", command: ["sh", "-c", "pwd -P >&2"], cwd } as const;
      const launched = await spawnerIn(directory.path).launch(spec, newId<SessionId>(), directory.path);
      return (await launched.gone).stderr;
    };
    expect(await where(undefined)).toBe(await realpath(directory.path));
    expect(await where(other.path)).toBe(await realpath(other.path));
    await expect(where("/no/such/place")).rejects.toThrow(/mend `cwd` of the agent in the configuration/);
  });

  test("never lets a program wait for somebody to read its stdout", async () => {
    await using directory = await tempDir();
    const launched = await spawnerIn(directory.path).launch(program("noisy"), newId<SessionId>(), directory.path);
    expect(await launched.gone).toMatchObject({ exitCode: 3, expected: false });
  });

  test("takes no more for a program that does not read what it was given", async () => {
    await using directory = await tempDir();
    const launched = await spawnerIn(directory.path).launch(program("deaf"), newId<SessionId>(), directory.path);
    let taken = 0;
    while (launched.write("x".repeat(64 * 1024))) taken++;
    expect(taken).toBeGreaterThan(10);
    expect(taken).toBeLessThan(40);
    expect(await launched.stop()).toMatchObject({ expected: true });
  });

  test.runIf(process.platform === "linux")("leaves nothing of a program behind", async () => {
    await using directory = await tempDir();
    const instanceId = newId();
    const spawner = createAgentSpawner({ instanceId, stateDir: directory.path, logger: silentLogger });
    const launched = await spawner.launch(program("litter"), newId<SessionId>(), directory.path);
    await launched.gone;
    const left = await listMarkedProcesses();
    expect(left.filter((marked) => marked.instanceId === instanceId)).toEqual([]);
  });
});

describe("back-pressure", () => {
  test("a paused agent is not read, and nothing is lost or reordered when it is again", async () => {
    await using running = await openAgent({ command: misbehaving() });
    running.agent.setPaused(true);
    const ack = running.prompt("flood 20000");
    await expect(running.agent.call("echo", {}, 200)).rejects.toBeInstanceOf(TimeoutError);
    expect(running.witness.of("notification")).toEqual([]);
    running.agent.setPaused(false);
    await ack;
    await running.witness.turnEnd();
    const told = running.witness.typed("assistant_text_delta").map(({ textDelta }) => textDelta);
    expect(told).toEqual(Array.from({ length: 20_000 }, (_, index) => String(index)));
  });

  test("an agent that dies while it is paused has its last words told, and its end after them", async () => {
    await using running = await openAgent({ command: misbehaving() });
    running.agent.setPaused(true);
    const ack = running.prompt("finalMessage");
    expect(await running.witness.exit()).toMatchObject({ exitCode: 0 });
    await ack;
    expect(running.witness.text).toBe("last words");
    expect(running.witness.of("ended")).toHaveLength(1);
  });
});

describe("noise", () => {
  test("lines that are no frames, frames nobody waits for and things of tomorrow are survived and counted", async () => {
    await using running = await openAgent({ command: misbehaving() });
    await running.prompt("noise");
    expect(await running.witness.turnEnd()).toEqual({ reason: "completed", details: {} });
    expect(running.agent.counters).toEqual({ badLines: 1, badFrames: 2, strayResponses: 1 });
    expect(running.witness.typed("a_type_of_tomorrow")).toEqual([{ type: "a_type_of_tomorrow", key: [1, 2] }]);
  });

  test("of a million lines is told in a few dozen warnings", () => {
    const numbers: number[] = [];
    const logger = sparingLogger(
      { ...silentLogger, warn: (fields) => void numbers.push((fields as { warnings: number }).warnings) },
      { agent: "noisy" },
    );
    for (let i = 0; i < 1_000_000; i++) logger.warn({}, "noise");
    expect(numbers.slice(18, 24)).toEqual([19, 20, 32, 64, 128, 256]);
    expect(numbers.length).toBeLessThan(40);
  });

  test("a request that only a client could answer goes to the client; any other is refused", async () => {
    await using running = await openAgent({ command: misbehaving() });
    await running.prompt("ask");
    const { request } = await running.witness.until(() => running.witness.of("request")[0]);
    request.respond({ answers: [] });
    request.respond({ answers: ["second"] });
    const text = await running.witness.until(() =>
      running.witness.text.includes("answer") ? running.witness.text : undefined,
    );
    expect(text).toBe('answer 1: {"answers":[],"sessionId":"own-id"}');
  });
});

describe("a start that the system refuses", () => {
  test.each([
    ["ENOENT", /no program "prog".*correct the command of agent "test"/],
    ["EACCES", /chmod \+x/],
    ["EMFILE", /too many open files.*ulimit -n/],
    ["EAGAIN", /too many processes/],
    ["E2BIG", /too long/],
    ["EWHATEVER", /The system says: spawn failed/],
  ])("%s says what to do", async (code, advice) => {
    const cause = Object.assign(new RangeError("spawn failed"), { code });
    const error = await processStartError({ ...spec, command: ["prog"] }, "/", cause);
    expect(error).toMatchObject({
      code: "PROCESS_START_FAILED",
      exitCode: null,
      message: expect.stringMatching(advice),
    });
  });

  test("without a descriptor left is a typed error, and the next start works (F9)", async () => {
    await using directory = await tempDir();
    const outfile = join(directory.path, "exhaust.cjs");
    const source = fileURLToPath(new URL("../../src/agents/agent-process.ts", import.meta.url));
    const program = `
      import { closeSync, openSync } from "node:fs";
      import { AgentProcess } from ${JSON.stringify(source)};
      const start = () => AgentProcess.start({ spec: { name: "t", driver: "stream-jsonrpc", command: ["true"] }, cwd: "/", env: { PATH: process.env.PATH } });
      const open = [];
      try { for (;;) open.push(openSync("/dev/null")); } catch {}
      start().then(() => "started", (error) => error.code + " " + error.message).then(async (refused) => {
        for (const fd of open) closeSync(fd);
        const { exitCode } = await (async () => { const p = await start(); p.stdout.resume(); return p.stop(); })();
        console.log(JSON.stringify({ refused, exitCode }));
      });`;
    buildSync({
      stdin: { contents: program, resolveDir: directory.path, loader: "ts" },
      outfile,
      bundle: true,
      platform: "node",
      format: "cjs",
      conditions: ["@daemon-sdk/source"],
      nodePaths: [fileURLToPath(new URL("../../node_modules", import.meta.url))],
      logLevel: "error",
    });
    const { stdout } = await promisify(execFile)("sh", ["-c", `ulimit -n 64; exec "${process.execPath}" "${outfile}"`]);
    expect(JSON.parse(stdout)).toEqual({
      refused: expect.stringMatching(/^PROCESS_START_FAILED.*ulimit -n/),
      exitCode: 0,
    });
  });
});
