import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { newId, type SessionId } from "@daemon-sdk/protocol";
import { describe, expect, test } from "vitest";
import type { Running } from "../agents/agent-harness.js";
import { type Desk, desk } from "./workspace-agent.js";

const high = { autonomyLevel: "high" };
const CALL_MS = 5_000;

async function run(running: Running, text: string): Promise<string> {
  const count = running.witness.of("ended").length + 1;
  const messageId = await running.prompt(text);
  await running.witness.turnEnd(count);
  return messageId;
}

/** Starts a new process and loads a session in it. */
async function load(place: Desk, id: string): Promise<Running> {
  const running = await place.start(id as SessionId);
  const start = { sessionId: id as SessionId, cwd: place.cwd, settings: {}, resume: id };
  await running.agent.open(start).catch(async (error) => {
    await running[Symbol.asyncDispose]();
    throw error;
  });
  return running;
}

async function recall(running: Running): Promise<string> {
  await run(running, "recall");
  return running.witness.text;
}

describe("a conversation", () => {
  test("comes back in another process, with its messages, title and settings", async () => {
    await using place = await desk();
    const sessionId = newId<SessionId>();
    {
      await using running = await place.open({ modelId: "any", autonomyLevel: "low" }, sessionId);
      await run(running, "say one");
      await run(running, "say two");
    }
    await using running = await place.start(sessionId);
    const ready = await running.agent.open({ sessionId, cwd: place.cwd, settings: {}, resume: sessionId });
    expect(ready).toMatchObject({ agentSessionId: sessionId, settings: { modelId: "any", autonomyLevel: "low" } });
    const { session } = await running.agent.call("load_session", {}, CALL_MS);
    expect(session).toMatchObject({ title: "say one", messages: [{ role: "user" }, { role: "assistant" }, {}, {}] });
    expect(await recall(running)).toBe("say one\nsay two");
  });

  test("survives a SIGKILL between turns", async () => {
    await using place = await desk();
    const sessionId = newId<SessionId>();
    await using killed = await place.open({}, sessionId);
    await run(killed, "say one");
    process.kill(killed.agent.pid, "SIGKILL");
    await killed.witness.exit();
    await using running = await load(place, sessionId);
    expect(await recall(running)).toBe("say one");
  });

  test("is kept in files that only this user can read, without leftovers", async () => {
    await using place = await desk();
    await using running = await place.open();
    await run(running, "say one");
    const directory = join(place.stateDir, "agents", "workspace-agent");
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    const names = await readdir(directory);
    expect(names).toEqual([`${running.sessionId}.json`]);
    expect((await stat(join(directory, names[0] ?? ""))).mode & 0o777).toBe(0o600);
  });

  test("may have any id, also one that is a path", async () => {
    await using place = await desk();
    const sessionId = "../../../evil/../id" as SessionId;
    {
      await using running = await place.open({}, sessionId);
      await run(running, "say one");
    }
    await using running = await load(place, sessionId);
    expect(await recall(running)).toBe("say one");
    const names = await readdir(join(place.stateDir, "agents", "workspace-agent"));
    expect(names).toEqual([expect.stringMatching(/^x-[0-9a-f]{64}\.json$/)]);
  });

  test("is deleted with its files, by a process that has not opened it; an unknown one counts as deleted", async () => {
    await using place = await desk();
    const sessionId = newId<SessionId>();
    {
      await using running = await place.open({}, sessionId);
      await run(running, "say one");
    }
    await using running = await place.start();
    expect(await running.agent.forget(sessionId)).toBe(true);
    expect(await running.agent.forget("../never")).toBe(true);
    expect(await readdir(join(place.stateDir, "agents", "workspace-agent"))).toEqual([]);
    await expect(load(place, sessionId)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
  });

  test("that was never saved is not found", async () => {
    await using place = await desk();
    await expect(load(place, newId())).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
  });

  test("in a directory that is gone cannot be opened", async () => {
    await using place = await desk();
    await using running = await place.start();
    const cwd = await mkdtemp(join(place.cwd, "gone-"));
    await rm(cwd, { recursive: true });
    const open = running.agent.open({ sessionId: running.sessionId, cwd, settings: {} });
    await expect(open).rejects.toMatchObject({ rpcCode: -32_603, message: expect.stringContaining(cwd) });
  });
});

describe("settings and title", () => {
  test("are changed, told with the request's id, and remembered; an invalid level is ignored", async () => {
    await using place = await desk();
    const sessionId = newId<SessionId>();
    {
      await using running = await place.open({}, sessionId);
      await running.agent.call("update_session_settings", { autonomyLevel: "medium", modelId: "m2" }, CALL_MS);
      expect(await running.agent.call("update_session_settings", { autonomyLevel: "ultra" }, CALL_MS)).toEqual({});
      expect(await running.agent.call("rename_session", { title: "New name" }, CALL_MS)).toEqual({ success: true });
      expect(running.witness.typed("settings_updated").at(-1)).toMatchObject({
        requestId: expect.any(String),
        settings: { autonomyLevel: "medium", modelId: "m2" },
      });
      expect(running.witness.typed("session_title_updated")).toMatchObject([{ title: "New name" }]);
    }
    await using running = await load(place, sessionId);
    const snapshot = await running.agent.call("load_session", {}, CALL_MS);
    expect(snapshot).toMatchObject({ session: { title: "New name" }, settings: { autonomyLevel: "medium" } });
  });
});

describe("new sessions from old ones", () => {
  test("a fork has the messages, and goes its own way", async () => {
    await using place = await desk();
    await using running = await place.open();
    await run(running, "say one");
    const { newSessionId } = await running.agent.call("fork_session", { title: "Fork" }, CALL_MS);
    await run(running, "say only in the old one");
    await using fork = await load(place, String(newSessionId));
    expect(await fork.agent.call("load_session", {}, CALL_MS)).toMatchObject({ session: { title: "Fork" } });
    expect(await recall(fork)).toBe("say one");
  });

  test("a compacted one has a summary instead of the messages", async () => {
    await using place = await desk();
    await using running = await place.open();
    await run(running, "say one");
    const { newSessionId, removedCount } = await running.agent.call("compact_session", {}, CALL_MS);
    expect(removedCount).toBe(2);
    await using compacted = await load(place, String(newSessionId));
    expect(await recall(compacted)).toBe("Summary of 2 messages. Prompts so far:\n- say one");
  });

  test("a rewind brings files back, deletes created ones, and forks before the message, across processes", async () => {
    await using place = await desk();
    const sessionId = newId<SessionId>();
    const path = (name: string) => join(place.cwd, name);
    await writeFile(path("old.txt"), "original");
    let messageId = "";
    {
      await using running = await place.open(high, sessionId);
      await run(running, "say before");
      messageId = await run(running, "write old.txt: changed ; then write made.txt: new");
      await run(running, "append old.txt: twice");
    }
    await using running = await load(place, sessionId);
    const info = await running.agent.call("get_rewind_info", { messageId }, CALL_MS);
    expect(info).toMatchObject({
      availableFiles: [{ filePath: path("old.txt"), size: 8, contentHash: expect.stringMatching(/^[0-9a-f]{64}$/) }],
      createdFiles: [{ filePath: path("made.txt") }],
      evictedFiles: [],
    });
    const result = await running.agent.call(
      "execute_rewind",
      { messageId, filesToRestore: info.availableFiles, filesToDelete: info.createdFiles, forkTitle: "Back" },
      CALL_MS,
    );
    expect(result).toMatchObject({ restoredCount: 1, deletedCount: 1, failedRestoreCount: 0, failedDeleteCount: 0 });
    expect(await readFile(path("old.txt"), "utf8")).toBe("original");
    expect(await readdir(place.cwd)).toEqual(["old.txt"]);
    await using back = await load(place, String(result.newSessionId));
    expect(await recall(back)).toBe("say before");
  });

  test("a rewind touches only what it knows: other files fail and stay", async () => {
    await using place = await desk();
    await writeFile(join(place.cwd, "mine.txt"), "mine");
    await using running = await place.open(high);
    const messageId = await run(running, "say nothing");
    const filePath = join(place.cwd, "mine.txt");
    const result = await running.agent.call(
      "execute_rewind",
      {
        messageId,
        filesToRestore: [{ filePath, contentHash: "0", size: 0 }],
        filesToDelete: [{ filePath }, { filePath: "/etc/hostname" }],
        forkTitle: "Back",
      },
      CALL_MS,
    );
    expect(result).toMatchObject({ restoredCount: 0, deletedCount: 0, failedRestoreCount: 1, failedDeleteCount: 2 });
    expect(await readFile(filePath, "utf8")).toBe("mine");
  });

  test("a file is restored only as the version that was asked for", async () => {
    await using place = await desk();
    const filePath = join(place.cwd, "a.txt");
    await writeFile(filePath, "original");
    await using running = await place.open(high);
    const messageId = await run(running, "write a.txt: changed");
    const filesToRestore = [{ filePath, contentHash: "0".repeat(64), size: 8 }];
    const params = { messageId, filesToRestore, filesToDelete: [], forkTitle: "Back" };
    expect(await running.agent.call("execute_rewind", params, CALL_MS)).toMatchObject({ failedRestoreCount: 1 });
    expect(await readFile(filePath, "utf8")).toBe("changed");
  });

  test("a file too large to remember is told as evicted", async () => {
    await using place = await desk();
    await writeFile(join(place.cwd, "big.txt"), "x".repeat(1024 * 1024 + 1));
    await using running = await place.open(high);
    const messageId = await run(running, "append big.txt: y");
    expect(await running.agent.call("get_rewind_info", { messageId }, CALL_MS)).toMatchObject({
      availableFiles: [],
      evictedFiles: [{ filePath: join(place.cwd, "big.txt"), reason: expect.stringContaining("larger than") }],
    });
  });
});

describe("the rest of the wire", () => {
  test("MCP servers are kept as a list and connected to by nobody", async () => {
    await using place = await desk();
    await using running = await place.open();
    const call = (method: string, params: Record<string, unknown> = {}) => running.agent.call(method, params, CALL_MS);
    expect(await call("list_mcp_servers")).toMatchObject({ servers: [], summary: { total: 0 } });
    await call("add_mcp_server", { name: "files", type: "stdio", command: "mcp-files", args: [] });
    expect(await call("list_mcp_servers")).toMatchObject({ servers: [{ name: "files", status: "disconnected" }] });
    await call("toggle_mcp_server", { serverName: "files", enabled: false });
    expect(running.witness.typed("mcp_status_changed").at(-1)).toMatchObject({ servers: [{ status: "disabled" }] });
    await call("remove_mcp_server", { serverName: "files" });
    expect(await call("list_mcp_servers")).toMatchObject({ servers: [] });
    await expect(call("remove_mcp_server", { serverName: "files" })).rejects.toMatchObject({ code: "INVALID_PARAMS" });
    expect(await call("list_mcp_tools")).toEqual({ tools: [] });
    expect(await call("list_skills")).toEqual({ skills: [] });
  });

  test("the context grows with the conversation", async () => {
    await using place = await desk();
    await using running = await place.open();
    const used = async () => Number((await running.agent.call("get_context_breakdown", {}, CALL_MS)).usedTokens);
    const before = await used();
    await run(running, "say something of some length");
    expect(await used()).toBeGreaterThan(before);
  });
});
