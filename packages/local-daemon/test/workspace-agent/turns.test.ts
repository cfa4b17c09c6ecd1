import { access, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { processState, type Running } from "../agents/agent-harness.js";
import { desk } from "./workspace-agent.js";

const high = { autonomyLevel: "high" };

/** Runs one prompt to its end and says how it ended. */
async function run(running: Running, text: string, extra: object = {}) {
  const count = running.witness.of("ended").length + 1;
  await running.prompt(text, extra);
  return running.witness.turnEnd(count);
}

/** Text of the last message of the assistant. */
function answer({ witness }: Running): string {
  const messages = witness
    .typed("create_message")
    .map(({ message }) => message as { role: string; content: { text?: string }[] });
  const last = messages.filter(({ role }) => role === "assistant").at(-1);
  return (last?.content ?? []).map(({ text }) => text ?? "").join("");
}

const results = ({ witness }: Running) =>
  witness.typed("tool_result").map(({ content, isError }) => ({ content, isError }));
const types = ({ witness }: Running) =>
  witness.told.map((one) => (one.kind === "notification" ? one.notification.type : one.kind));

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

describe("a plain turn", () => {
  test("is told in the order of the agent spec", async () => {
    await using place = await desk();
    await using running = await place.open();
    const messageId = await running.prompt("say hello there");
    const end = await running.witness.turnEnd();
    expect(end).toMatchObject({ reason: "completed", details: { durationMs: expect.any(Number) } });
    expect(types(running)).toEqual([
      "mcp_status_changed",
      "settings_updated",
      "droid_working_state_changed",
      "started",
      "create_message",
      "session_title_updated",
      "droid_working_state_changed",
      "droid_working_state_changed",
      "assistant_text_delta",
      "assistant_text_delta",
      "assistant_text_complete",
      "create_message",
      "session_token_usage_changed",
      "ended",
    ]);
    const [own] = running.witness.typed("create_message");
    expect(own).toMatchObject({ message: { id: messageId, role: "user" }, requestId: expect.any(String) });
    expect(answer(running)).toBe("hello there");
    expect(running.witness.text).toBe("hello there");
  });

  test("names the commands when it understands nothing", async () => {
    await using place = await desk();
    await using running = await place.open();
    await run(running, "please refactor everything");
    expect(answer(running)).toContain("write <path>: <text>");
  });

  test("thinks aloud in thinking blocks", async () => {
    await using place = await desk();
    await using running = await place.open();
    await run(running, "think let me see ; then say done");
    expect(running.witness.typed("thinking_text_delta")).toMatchObject([{ textDelta: "let me see", blockIndex: 0 }]);
    expect(running.witness.typed("assistant_text_delta")[0]).toMatchObject({ blockIndex: 1 });
    expect(answer(running)).toBe("done");
  });

  test("recalls the earlier prompts of the conversation, one a line", async () => {
    await using place = await desk();
    await using running = await place.open();
    await run(running, "say one");
    await run(running, "say two");
    await run(running, "recall");
    expect(answer(running)).toBe("say one\nsay two");
  });

  test.each([
    ['json {"a":1}', { structuredOutput: { a: 1 } }],
    ["json [1]", { structuredOutput: null, structuredOutputError: { code: "invalid_structured_output" } }],
    ["say no json", { structuredOutput: null, structuredOutputError: { code: "missing_structured_output" } }],
  ])("with an outputFormat answers `%s` as structured output", async (prompt, expected) => {
    await using place = await desk();
    await using running = await place.open();
    await run(running, prompt, { outputFormat: { type: "json_schema", schema: {} } });
    expect(running.witness.typed("structured_output")).toMatchObject([expected]);
    expect(answer(running)).toBe(prompt.replace(/^\w+ /, ""));
  });

  test("with skipAgentLoop only keeps the message", async () => {
    await using place = await desk();
    await using running = await place.open();
    expect(await run(running, "say nothing", { skipAgentLoop: true })).toMatchObject({ reason: "completed" });
    expect(running.witness.text).toBe("");
    await run(running, "recall");
    expect(answer(running)).toBe("say nothing");
  });
});

describe("tools on real files", () => {
  test("list, read and search look, and ask nobody", async () => {
    await using place = await desk();
    await mkdir(join(place.cwd, "src"));
    await writeFile(join(place.cwd, "src", "a.ts"), "first\nneedle here\n");
    await writeFile(join(place.cwd, "b.txt"), "text of b");
    await using running = await place.open({ autonomyLevel: "off" });
    await run(running, "list\nread b.txt\nsearch needle\nsearch needle in src\nsearch haystack");
    expect(results(running)).toEqual([
      { content: "b.txt\nsrc/", isError: false },
      { content: "text of b", isError: false },
      { content: "src/a.ts:2: needle here", isError: false },
      { content: "src/a.ts:2: needle here", isError: false },
      { content: 'No line holds "haystack".', isError: false },
    ]);
    expect(running.witness.of("request")).toEqual([]);
    expect(answer(running)).toBe('No line holds "haystack".');
  });

  test("write creates, a second write edits, append goes on, and each is a tool round in order", async () => {
    await using place = await desk();
    await using running = await place.open(high);
    await run(running, "write new/a.txt: one\\n ; then write new/a.txt: two\\n ; then append new/a.txt: three");
    expect(await readFile(join(place.cwd, "new/a.txt"), "utf8")).toBe("two\nthree");
    const calls = running.witness.typed("tool_call").map(({ toolUse }) => toolUse as { name: string; input: object });
    expect(calls.map(({ name }) => name)).toEqual(["Create", "Create", "Edit", "Edit", "Edit", "Edit"]);
    expect(calls[0]?.input).toEqual({});
    const round = types(running)
      .filter((type) => type.startsWith("tool_") || type === "create_message")
      .slice(1, 7);
    expect(round).toEqual([
      "tool_call",
      "tool_call",
      "create_message",
      "tool_execution_phase_changed",
      "tool_execution_phase_changed",
      "tool_result",
    ]);
  });

  test("run executes in the session's directory and tells output and exit code", async () => {
    await using place = await desk();
    await using running = await place.open(high);
    await run(running, "run pwd; echo oops >&2; exit 3");
    expect(results(running)[0]?.content).toMatch(/oops/);
    expect(results(running)[0]?.content).toMatch(/\[Process exited with code 3\]$/);
    expect(running.witness.typed("tool_progress_update").length).toBeGreaterThan(0);
  });

  test("run ends what the command leaves in the background", async () => {
    await using place = await desk();
    await using running = await place.open(high);
    await run(running, "run sleep 1000 & echo $!");
    const pid = Number.parseInt(String(results(running)[0]?.content), 10);
    expect([undefined, "Z"]).toContain(await processState(pid));
  });

  test.each([
    ["read ../secret.txt"],
    ["read /etc/hostname"],
    ["read link-to-outside"],
    ["read dir-link/secret.txt"],
    ["read ../project-secrets/secret.txt"],
    ["list .."],
    ["search a in .."],
    ["write ../evil.txt: x"],
    ["write dir-link/evil.txt: x"],
    ["write dangling: x"],
    ["append link-to-outside: x"],
  ])("`%s` stays inside the session's directory: an error, and nothing outside is touched", async (prompt) => {
    await using place = await desk();
    const cwd = join(place.cwd, "project");
    await mkdir(cwd);
    await mkdir(join(place.cwd, "project-secrets"));
    await writeFile(join(place.cwd, "project-secrets", "secret.txt"), "secret");
    await writeFile(join(place.cwd, "secret.txt"), "secret");
    await symlink("../secret.txt", join(cwd, "link-to-outside"));
    await symlink("..", join(cwd, "dir-link"));
    await symlink("../evil.txt", join(cwd, "dangling"));
    await using running = await place.start();
    await running.agent.open({ sessionId: running.sessionId, cwd, settings: { autonomyLevel: "high" } });
    expect(await run(running, prompt)).toMatchObject({ reason: "completed" });
    expect(results(running)).toEqual([{ content: expect.stringContaining("Error: Cannot use"), isError: true }]);
    expect(await readFile(join(place.cwd, "secret.txt"), "utf8")).toBe("secret");
    expect(await isThere(join(place.cwd, "evil.txt"))).toBe(false);
  });

  test("a missing file is an error result, and the turn goes on", async () => {
    await using place = await desk();
    await using running = await place.open();
    await run(running, "read nothing.txt ; then say still here");
    expect(results(running)).toEqual([{ content: expect.stringContaining("ENOENT"), isError: true }]);
    expect(answer(running)).toMatch(/still here$/);
  });
});

describe("permission", () => {
  test.each([
    ["off", ["Create", "Execute"]],
    ["low", ["Execute"]],
    ["medium", ["Execute"]],
    ["high", []],
  ])("with autonomy %s is asked for %j", async (autonomyLevel, asked) => {
    await using place = await desk();
    await using running = await place.open({ autonomyLevel });
    await running.prompt("list ; then write a.txt: x ; then run true");
    for (let i = 0; i < asked.length; i++) {
      const { request } = await running.witness.until(() => running.witness.of("request")[i]);
      request.respond({ selectedOption: "proceed_once" });
    }
    expect(await running.witness.turnEnd()).toMatchObject({ reason: "completed" });
    const names = running.witness.of("request").map(({ request }) => {
      const [{ toolUse }] = request.params.toolUses as [{ toolUse: { name: string } }];
      return toolUse.name;
    });
    expect(names).toEqual(asked);
  });

  test("shows what will be done: type, path and content for a file, the command for a run", async () => {
    await using place = await desk();
    await writeFile(join(place.cwd, "b.txt"), "old");
    await using running = await place.open();
    await running.prompt("write a.txt: hello ; then write b.txt: new ; then run echo hi");
    const details: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      const { request } = await running.witness.until(() => running.witness.of("request")[i]);
      details.push((request.params.toolUses as { details: unknown }[])[0]?.details);
      request.respond({ selectedOption: "proceed_once" });
    }
    await running.witness.turnEnd();
    expect(details).toEqual([
      { type: "create", filePath: expect.stringMatching(/\/a\.txt$/), fileName: "a.txt", content: "hello" },
      {
        type: "edit",
        filePath: expect.stringMatching(/\/b\.txt$/),
        fileName: "b.txt",
        oldContent: "old",
        newContent: "new",
      },
      { type: "exec", fullCommand: "echo hi", command: "echo" },
    ]);
  });

  test("always is remembered for that tool, in this session only", async () => {
    await using place = await desk();
    await using running = await place.open();
    await running.prompt("run true ; then run true ; then write a.txt: x");
    const { request } = await running.witness.until(() => running.witness.of("request")[0]);
    request.respond({ selectedOption: "proceed_always" });
    const second = await running.witness.until(() => running.witness.of("request")[1]);
    expect(second.request.params.toolUses).toMatchObject([{ confirmationType: "create" }]);
    second.request.respond({ selectedOption: "proceed_once" });
    await running.witness.turnEnd();
    expect(running.witness.of("request")).toHaveLength(2);
  });

  test.each(["cancel", "proceed_auto_run_high", "nonsense"])(
    "answered with `%s` does nothing: an error result, and the turn ends as completed",
    async (selectedOption) => {
      await using place = await desk();
      await using running = await place.open();
      await running.prompt("write a.txt: x ; then say never reached");
      const { request } = await running.witness.until(() => running.witness.of("request")[0]);
      request.respond({ selectedOption });
      expect(await running.witness.turnEnd()).toMatchObject({ reason: "completed" });
      expect(results(running)).toEqual([{ content: "Error: Tool execution cancelled by user", isError: true }]);
      expect(running.witness.typed("permission_resolved")).toMatchObject([
        { requestId: request.id, selectedOption: "cancel" },
      ]);
      expect(running.witness.text).toBe("");
      expect(await isThere(join(place.cwd, "a.txt"))).toBe(false);
    },
  );

  test("a question is asked with its options, and the answer is said", async () => {
    await using place = await desk();
    await using running = await place.open();
    await running.prompt("ask Which one? red | green");
    const { request } = await running.witness.until(() => running.witness.of("request")[0]);
    expect(request).toMatchObject({
      method: "ask_user",
      params: {
        toolCallId: expect.any(String),
        questions: [{ index: 1, question: "Which one?", options: ["red", "green"] }],
      },
    });
    request.respond({ answers: [{ index: 1, question: "Which one?", answer: "green" }] });
    await running.witness.turnEnd();
    expect(answer(running)).toBe("You chose green.");
  });

  test("a question that is not answered is no obstacle", async () => {
    await using place = await desk();
    await using running = await place.open();
    await running.prompt("ask Which one? red | green ; then say going on");
    const { request } = await running.witness.until(() => running.witness.of("request")[0]);
    request.respond({ cancelled: true, answers: [] });
    expect(await running.witness.turnEnd()).toMatchObject({ reason: "completed" });
    expect(answer(running)).toBe("You did not answer.\ngoing on");
  });
});

describe("interrupt", () => {
  test("cuts a turn that streams: cancelled, without the message it would have become", async () => {
    await using place = await desk();
    await using running = await place.open();
    await running.prompt("count 100000 every 5");
    await running.witness.until(() => running.witness.typed("assistant_text_delta")[2]);
    await running.agent.interrupt();
    expect(await running.witness.turnEnd()).toMatchObject({ reason: "cancelled" });
    expect(types(running)).not.toContain("assistant_text_complete");
    expect(answer(running)).toBe("");
    expect(await run(running, "say next")).toMatchObject({ reason: "completed" });
  });

  test("is read even while the agent writes as fast as it can", async () => {
    await using place = await desk();
    await using running = await place.open();
    await running.prompt("stream 100000000 of 300");
    await running.witness.until(() => running.witness.typed("assistant_text_delta")[0]);
    await running.agent.interrupt();
    expect(await running.witness.turnEnd()).toMatchObject({ reason: "cancelled" });
  });

  test("kills the command that runs, and all that it started", async () => {
    await using place = await desk();
    await using running = await place.open(high);
    await running.prompt("run sleep 1000 & echo $!; wait");
    const update = await running.witness.until(() => running.witness.typed("tool_progress_update")[0]);
    const pid = Number.parseInt((update.update as { text: string }).text, 10);
    expect(await processState(pid)).toBeDefined();
    await running.agent.interrupt();
    expect(await running.witness.turnEnd()).toMatchObject({ reason: "cancelled" });
    expect(results(running)).toMatchObject([{ isError: true }]);
    expect([undefined, "Z"]).toContain(await processState(pid));
  });

  test("resolves a pending permission with cancel, and nothing was done", async () => {
    await using place = await desk();
    await using running = await place.open();
    await running.prompt("write a.txt: x");
    await running.witness.until(() => running.witness.of("request")[0]);
    await running.agent.interrupt();
    expect(await running.witness.turnEnd()).toMatchObject({ reason: "cancelled" });
    expect(running.witness.typed("permission_resolved")).toMatchObject([{ selectedOption: "cancel" }]);
    expect(results(running)).toMatchObject([{ isError: true }]);
    expect(await isThere(join(place.cwd, "a.txt"))).toBe(false);
  });

  test("discards what waits, and names it", async () => {
    await using place = await desk();
    await using running = await place.open();
    await running.prompt("count 100000 every 5");
    await running.agent.call("add_user_message", { text: "say later" }, 5_000);
    await running.agent.interrupt();
    await running.witness.turnEnd();
    expect(running.witness.typed("queued_messages_discarded")).toMatchObject([
      { text: "say later", requestId: expect.any(String) },
    ]);
    await run(running, "recall");
    expect(answer(running)).toBe("count 100000 every 5");
  });

  test("while idle is a `{}` and nothing else", async () => {
    await using place = await desk();
    await using running = await place.open();
    const before = running.witness.told.length;
    await running.agent.interrupt();
    expect(running.witness.told).toHaveLength(before);
  });
});

test("a prompt sent while busy is acknowledged at once and runs after the turn", async () => {
  await using place = await desk();
  await using running = await place.open();
  await running.prompt("count 3 every 5");
  await running.agent.call("add_user_message", { text: "say second" }, 5_000);
  await running.witness.until(() => (running.witness.text.endsWith("second") ? true : undefined));
  expect(running.witness.text).toBe("1 2 3 second");
});
