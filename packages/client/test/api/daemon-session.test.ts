import { METHODS } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { DaemonClient } from "../../src/index.js";
import { collect, connected, hang, OUR_CAPABILITIES, rejection } from "../support.js";

test("send resolves at the acknowledgement and does not wait for the turn", async () => {
  const { daemon, connection } = await connected();
  daemon.onPrompt(hang());
  const session = await connection.createSession();
  const { messageId } = await session.send("go", { messageId: "m-1" });
  expect(messageId).toBe("m-1");
  expect((await daemon.waitForRequest("add_user_message")).params).toEqual({
    sessionId: session.sessionId,
    text: "go",
    messageId: "m-1",
  });
});

test("sending the same id again to our daemon acts once; another text under it is refused", async () => {
  const { daemon, connection } = await connected({ capabilities: OUR_CAPABILITIES });
  const played: string[] = [];
  daemon.onPrompt(({ text }) => void played.push(text));
  const session = await connection.createSession();
  await session.send("go", { messageId: "m-1" });
  await session.send("go", { messageId: "m-1" });
  expect(await rejection(session.send("stop", { messageId: "m-1" }))).toMatchObject({ code: "INVALID_PARAMS" });
  expect(played).toEqual(["go"]);
});

test("after close() calls throw at once, before the daemon has answered", async () => {
  const { daemon, connection } = await connected();
  const session = await connection.createSession();
  const closing = session.close();
  expect(await rejection(session.send("x"))).toMatchObject({ code: "SESSION_CLOSED" });
  expect(await rejection(session.interrupt())).toMatchObject({ code: "SESSION_CLOSED" });
  await closing;
  await session.close();
  expect(daemon.received.filter(({ method }) => method === "close_session")).toMatchObject([
    { params: { reason: "other" } },
  ]);
});

test("close() never rejects: a session that is gone, or out of reach, is closed", async () => {
  const { daemon, connection } = await connected();
  const [gone, unreachable] = [await connection.createSession(), await connection.createSession()];
  daemon.sessions.get(gone.sessionId)?.notify({ type: "session_closed", timestamp: 1 });
  await expect(gone.close()).resolves.toBeUndefined();
  await connection.close();
  await expect(unreachable.close()).resolves.toBeUndefined();
  expect(await rejection(gone.send("x"))).toMatchObject({ code: "SESSION_CLOSED" });
  expect(await rejection(unreachable.send("x"))).toMatchObject({ code: "CONNECTION_CLOSED" });
});

test("a session is closed by `await using`", async () => {
  const { daemon, connection } = await connected();
  {
    await using session = await connection.createSession({ sessionId: "used" });
    expect(session.sessionId).toBe("used");
  }
  expect((await daemon.waitForRequest("close_session")).params).toMatchObject({ sessionId: "used" });
});

test("listeners hear every notification, by type when asked, until they stop; one that throws disturbs nobody", async () => {
  const errors: Error[] = [];
  const { daemon, connection } = await connected({}, { onError: (error) => errors.push(error) });
  const session = await connection.createSession();
  const all: string[] = [];
  const titles: unknown[] = [];
  session.onNotification(() => {
    throw new RangeError("listener bug");
  });
  const stop = session.onNotification(({ type }) => void all.push(type));
  session.onNotification(({ title }) => void titles.push(title), { type: "session_title_updated" });
  const stored = daemon.sessions.get(session.sessionId);
  stored?.notify({ type: "from_the_future" });
  stored?.notify({ type: "session_title_updated", title: "T" });
  await session.getMessages();
  stop();
  stored?.notify({ type: "from_the_future" });
  await session.getMessages();
  expect(all).toEqual(["from_the_future", "session_title_updated"]);
  expect(titles).toEqual(["T"]);
  expect(errors.map(({ message }) => message)).toEqual(["listener bug", "listener bug", "listener bug"]);
});

test("every call goes out under its wire name, with the session's id", async () => {
  const { daemon, connection } = await connected();
  const session = await connection.createSession();
  const calls: [method: string, call: () => Promise<unknown>, params: object][] = [
    ["update_session_settings", () => session.updateSettings({ autonomyLevel: "high" }), { autonomyLevel: "high" }],
    ["rename_session", () => session.rename("T"), { title: "T" }],
    ["fork_session", () => session.fork({ title: "F" }), { title: "F" }],
    ["compact_session", () => session.compact({ customInstructions: "short" }), { customInstructions: "short" }],
    ["get_rewind_info", () => session.getRewindInfo("m"), { messageId: "m" }],
    ["get_context_breakdown", () => session.getContextBreakdown(), {}],
    ["get_session_messages", () => session.getMessages({ limit: 3 }), { limit: 3 }],
    ["archive_session", () => session.archive(), {}],
    ["list_skills", () => session.listSkills(), {}],
    ["list_mcp_servers", () => session.listMcpServers(), {}],
    ["list_mcp_tools", () => session.listMcpTools(), {}],
    [
      "add_mcp_server",
      () => session.addMcpServer({ name: "n", type: "http", url: "u" }),
      { name: "n", type: "http", url: "u" },
    ],
    ["remove_mcp_server", () => session.removeMcpServer("n"), { serverName: "n", settingsLevel: "user" }],
    [
      "toggle_mcp_server",
      () => session.toggleMcpServer("n", true),
      { serverName: "n", enabled: true, settingsLevel: "user" },
    ],
    ["authenticate_mcp_server", () => session.authenticateMcpServer("n"), { serverName: "n" }],
    [
      "execute_rewind",
      () => session.executeRewind({ messageId: "m", filesToRestore: [], filesToDelete: [], forkTitle: "R" }),
      { messageId: "m", filesToRestore: [], filesToDelete: [], forkTitle: "R" },
    ],
  ];
  for (const [method, call, params] of calls) {
    // Whether the fake daemon finds the message is its affair; what it was sent is ours.
    await call().catch(() => {});
    expect((await daemon.waitForRequest(method)).params).toEqual({ ...params, sessionId: session.sessionId });
  }
});

test("a caller's session id or token never goes out instead of the session's own", async () => {
  const { daemon, connection } = await connected();
  const session = await connection.createSession({ token: "stolen" } as object);
  await session.client.addUserMessage({ text: "x", sessionId: "other", token: "stolen" } as never);
  await session.client.call(METHODS.renameSession, { title: "T", sessionId: "other" } as never);
  expect((await daemon.waitForRequest("initialize_session")).params.token).toBe("fk-test");
  expect((await daemon.waitForRequest("add_user_message")).params.sessionId).toBe(session.sessionId);
  expect((await daemon.waitForRequest("rename_session")).params.sessionId).toBe(session.sessionId);
});

test("two handles of one daemon on different connections both follow a session", async () => {
  const { daemon, connection } = await connected();
  const { connectDaemon } = await import("../../src/index.js");
  const other = await connectDaemon({ transport: daemon.dial, apiKey: "fk" });
  const session = await connection.createSession();
  const watching = await other.resumeSession(session.sessionId);
  const seen: string[] = [];
  watching.onNotification(({ type }) => void seen.push(type));
  await collect(session.stream("hi"));
  await watching.getMessages();
  expect(seen).toContain("assistant_text_delta");
});

test("a client without a session says what to call first, and takes one session only", async () => {
  const { connection } = await connected();
  const session = await connection.createSession();
  expect(session.client).toBeInstanceOf(DaemonClient);
  expect(session.client.isConnected).toBe(true);
  expect(await rejection(session.client.loadSession("other"))).toMatchObject({ code: "SESSION_STATE" });
});
