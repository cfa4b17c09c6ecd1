import { newId, ProcessExitError, type SessionId, TimeoutError } from "@daemon-sdk/protocol";
import { afterEach, describe, expect, test, vi } from "vitest";
import { misbehaving, openAgent, processState, startAgent } from "./agent-harness.js";

const quick = { stdinGraceMs: 100, termGraceMs: 100, drainMs: 200 };

afterEach(() => {
  vi.useRealTimers();
});

describe("an agent that goes wrong in mid-turn (F10)", () => {
  test.each([
    { prompt: "exit 0", exitCode: 0, signal: null },
    { prompt: "exit 1", exitCode: 1, signal: null },
    { prompt: "kill", exitCode: null, signal: "SIGKILL" },
    { prompt: "half", exitCode: null, signal: "SIGKILL" },
    { prompt: "stderr 1000000", exitCode: 1, signal: null },
  ])(
    "that does `$prompt` ends its turn once and tells its exit once, with code and signal",
    async ({ prompt, ...how }) => {
      await using running = await openAgent({ command: misbehaving() });
      const { witness, agent } = running;
      await running.prompt(prompt);
      expect(await witness.exit()).toMatchObject({ ...how, expected: false });
      expect(await agent.stop()).toMatchObject(how);
      expect(witness.of("ended").map(({ end }) => end)).toEqual([
        { reason: "agent_exited", details: expect.objectContaining(how) },
      ]);
      expect(witness.of("exit")).toHaveLength(1);
      expect(witness.told.at(-1)?.kind).toBe("exit");
      expect(await processState(agent.pid)).toBeUndefined();
    },
  );

  test("that floods stderr is read on, and its exit carries the last lines, whole and bounded", async () => {
    await using running = await openAgent({ command: misbehaving() });
    await running.prompt("stderr 1000000");
    const { stderr } = await running.witness.exit();
    expect(stderr.length).toBeLessThanOrEqual(64 * 1024);
    expect(stderr.startsWith("x".repeat(99))).toBe(true);
    expect(stderr.endsWith("last line")).toBe(true);
    expect(stderr).not.toContain("first line");
  });

  test("that writes secrets on stderr and dies has them replaced in its exit", async () => {
    const spec = { env: { MODEL_API_KEY: "any words at all" } };
    await using running = await openAgent({ command: misbehaving(), spec });
    await running.prompt("secrets MODEL_API_KEY");
    const { stderr } = await running.witness.exit();
    expect(stderr).toBe("cannot use [redacted]\nAuthorization: [redacted]");
  });

  test("that writes half a frame and dies has that half counted, not delivered", async () => {
    await using running = await openAgent({ command: misbehaving() });
    await running.prompt("half");
    await running.witness.exit();
    expect(running.agent.counters.badFrames).toBe(1);
    expect(running.witness.of("notification")).toEqual([]);
  });

  test("that never acknowledges a prompt and dies has no turn: the prompt itself is rejected", async () => {
    await using running = await openAgent({ command: misbehaving() });
    const prompt = running.prompt("silent");
    process.kill(running.agent.pid, "SIGKILL");
    await expect(prompt).rejects.toMatchObject({ name: "ProcessExitError", signal: "SIGKILL", code: "PROCESS_EXITED" });
    expect(running.witness.of("ended")).toEqual([]);
    expect(running.witness.of("exit")).toHaveLength(1);
  });

  test("that does not read its stdin is ended once it would cost the daemon too many bytes, and that is reported", async () => {
    await using running = await openAgent({ command: misbehaving(), timings: quick });
    await running.prompt("unreading");
    await running.witness.until(() => (running.witness.text.includes("unreading") ? true : undefined));
    const text = "x".repeat(4_000_000);
    const calls = Array.from({ length: 8 }, () => running.agent.call("update_session_settings", { text }, 60_000));
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.map(({ status }) => status)).toEqual(calls.map(() => "rejected"));
    await running.witness.exit();
    expect(running.witness.of("fault").map(({ fault }) => fault)).toEqual([
      {
        code: "SLOW_CONSUMER",
        isLoss: false,
        message: expect.stringMatching(/does not read its stdin.*\(unreadBytes\)/),
      },
    ]);
  });

  test("that closes its stdin cannot be reached: it is ended, and the end is unexpected", async () => {
    const hello = JSON.stringify({
      jsonrpc: "2.0",
      factoryApiVersion: "1.0.0",
      type: "notification",
      method: "droid.session_notification",
      params: { notification: { type: "assistant_text_delta", messageId: "m", blockIndex: 0, textDelta: "unplugged" } },
    });
    const script = `exec 0<&-; echo '${hello}'; exec sleep 1000`;
    const timings = { stdinGraceMs: quick.stdinGraceMs };
    await using running = await startAgent({ command: ["sh", "-c", script], timings });
    await running.witness.until(() => (running.witness.text === "unplugged" ? true : undefined));
    await expect(running.agent.interrupt()).rejects.toBeInstanceOf(ProcessExitError);
    expect(await running.witness.exit()).toMatchObject({ expected: false, signal: "SIGTERM" });
  });

  test("that closes its stdout cannot be heard: it is ended, and its turn with it", async () => {
    await using running = await openAgent({ command: misbehaving(), timings: quick });
    await running.prompt("mute");
    expect(await running.witness.turnEnd()).toMatchObject({ reason: "agent_exited" });
    expect(await running.witness.exit()).toMatchObject({ expected: false });
  });
});

describe("an agent that goes wrong at its start", () => {
  test("and dies rejects open() with its exit code and its last words", async () => {
    await using running = await startAgent({ command: misbehaving("dies-at-start") });
    const open = running.agent.open({ sessionId: running.sessionId, cwd: running.cwd, settings: {} });
    await expect(open).rejects.toMatchObject({ exitCode: 3, message: expect.stringContaining("no licence") });
    expect(running.witness.of("exit")).toHaveLength(1);
  });

  test("and never answers can be stopped, which rejects open()", async () => {
    await using running = await startAgent({ command: misbehaving("never-answers") });
    const open = running.agent.open({ sessionId: running.sessionId, cwd: running.cwd, settings: {} });
    const failure = expect(open).rejects.toBeInstanceOf(ProcessExitError);
    expect(await running.agent.stop()).toMatchObject({ expected: true });
    await failure;
  });

  test("and never answers a call rejects that call with a TimeoutError, and lives", async () => {
    await using running = await startAgent({ command: misbehaving("never-answers") });
    const call = running.agent.call("initialize_session", {}, 50);
    await expect(call).rejects.toBeInstanceOf(TimeoutError);
    expect(await processState(running.agent.pid)).not.toBeUndefined();
  });

  test("because there is no such program says so, by the program's name", async () => {
    const start = startAgent({ command: ["no-such-program-here", "--flag"] });
    await expect(start).rejects.toMatchObject({
      name: "ProcessExitError",
      code: "PROCESS_START_FAILED",
      message: expect.stringMatching(/"no-such-program-here".*Install it, or correct the command/),
    });
  });

  test("because the file is no program says so", async () => {
    const start = startAgent({ command: [misbehaving()[1] ?? ""] });
    await expect(start).rejects.toMatchObject({ code: "PROCESS_START_FAILED", message: /chmod \+x/ });
  });

  test("because its directory is missing blames the directory, not the program", async () => {
    const start = startAgent({ command: misbehaving(), cwd: "/no/such/place" });
    await expect(start).rejects.toMatchObject({
      code: "PROCESS_START_FAILED",
      message: expect.stringMatching(/\/no\/such\/place.*no such directory/),
    });
  });
});

describe("the end of an agent", () => {
  test("that goes when its stdin ends takes no signal", async () => {
    await using running = await openAgent({ command: misbehaving() });
    expect(await running.agent.stop()).toEqual({ exitCode: 0, signal: null, stderr: "", expected: true });
    expect(running.witness.of("exit")).toHaveLength(1);
  });

  test("that ignores stdin's end and SIGTERM comes by SIGKILL, after both graces", async () => {
    await using running = await openAgent({ command: misbehaving(), timings: quick });
    await running.prompt("deaf");
    await running.witness.until(() => (running.witness.text.includes("deaf") ? true : undefined));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const stopped = running.agent.stop();
    vi.advanceTimersByTime(quick.stdinGraceMs);
    await running.witness.until(() => (running.witness.text.includes("ignored SIGTERM") ? true : undefined));
    vi.advanceTimersByTime(quick.termGraceMs);
    vi.useRealTimers();
    expect(await stopped).toMatchObject({ exitCode: null, signal: "SIGKILL", expected: true });
    expect(running.witness.of("ended")).toHaveLength(1);
    expect(await processState(running.agent.pid)).toBeUndefined();
  });

  test.each(["child", "setsid"])("takes what it started with it: `%s`", async (prompt) => {
    await using running = await openAgent({ command: misbehaving(), timings: quick });
    await running.prompt(prompt);
    const pid = Number(await running.witness.until(() => running.witness.text || undefined));
    // D: it waits for the disk.
    expect(await processState(pid)).toMatch(/[DRS]/);
    await running.agent.stop();
    expect([undefined, "Z"]).toContain(await processState(pid));
  });

  test("by its own crash takes what it started with it, too", async () => {
    await using running = await openAgent({ command: misbehaving(), timings: quick });
    await running.prompt("setsid");
    const pid = Number(await running.witness.until(() => running.witness.text || undefined));
    process.kill(running.agent.pid, "SIGKILL");
    await running.witness.exit();
    expect([undefined, "Z"]).toContain(await processState(pid));
  });

  test("spares what another session's agent started", async () => {
    const instanceId = newId();
    await using one = await openAgent({ command: misbehaving(), instanceId });
    await using other = await openAgent({ command: misbehaving(), instanceId, sessionId: newId<SessionId>() });
    await one.prompt("setsid");
    const pid = Number(await one.witness.until(() => one.witness.text || undefined));
    await other.agent.stop();
    // D: it waits for the disk.
    expect(await processState(pid)).toMatch(/[DRS]/);
  });

  test("may be asked for twice and is told once", async () => {
    await using running = await openAgent({ command: misbehaving() });
    const [first, second] = await Promise.all([running.agent.stop(), running.agent.stop()]);
    expect(first).toEqual(second);
    expect(running.witness.of("exit")).toHaveLength(1);
    await expect(running.agent.interrupt()).rejects.toBeInstanceOf(ProcessExitError);
  });
});
