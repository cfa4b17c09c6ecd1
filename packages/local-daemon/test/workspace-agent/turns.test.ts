import { mkdir, readFile, realpath, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { processState } from "../agents/agent-harness.js";
import { answer, high, isThere, results, run, types } from "./turn-support.js";
import { desk } from "./workspace-agent.js";

describe("a plain turn", () => {
  test("is told in the order of docs/wire/agent-stdio.md#a-plain-turn", async () => {
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

  test.each(["read state/token", "list state", "search secret in state", "read alias/token", "write state/token: x"])(
    "`%s` does not enter the daemon's state directory, though the session's directory holds it",
    async (prompt) => {
      await using place = await desk({ stateIn: "state" });
      await mkdir(join(place.cwd, "state"));
      await writeFile(join(place.cwd, "state", "token"), "secret");
      await symlink("state", join(place.cwd, "alias"));
      await using running = await place.open(high);
      expect(await run(running, prompt)).toMatchObject({ reason: "completed" });
      expect(results(running)).toEqual([{ content: expect.stringContaining("state directory"), isError: true }]);
      await run(running, "search secret");
      expect(results(running).at(-1)).toEqual({ content: 'No line holds "secret".', isError: false });
      expect(await readFile(join(place.cwd, "state", "token"), "utf8")).toBe("secret");
    },
  );

  test("a missing file is an error result, and the turn goes on", async () => {
    await using place = await desk();
    await using running = await place.open();
    await run(running, "read nothing.txt ; then say still here");
    const path = join(await realpath(place.cwd), "nothing.txt");
    expect(results(running)).toEqual([
      { content: expect.stringContaining(`ENOENT: no such file or directory, open '${path}'`), isError: true },
    ]);
    expect(answer(running)).toMatch(/still here$/);
  });
});
