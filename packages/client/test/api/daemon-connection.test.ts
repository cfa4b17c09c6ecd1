import { SessionNotFoundError } from "@daemon-sdk/protocol";
import { describe, expect, test } from "vitest";
import { connectDaemon } from "../../src/index.js";
import { collect, connected, DAEMONS, hang, OUR_CAPABILITIES, rejection, resultOf } from "../support.js";

describe.each(DAEMONS)("against $kind", ({ options }) => {
  test("sessions on one socket run at once, and each gets its own events", async () => {
    const { daemon, connection } = await connected(options);
    const sessions = await Promise.all([1, 2, 3, 4, 5].map(() => connection.createSession()));
    const streams = sessions.map((session) => resultOf(session.stream(`for ${session.sessionId}`)));
    const texts = (await Promise.all(streams)).map(({ text }) => text);
    expect(texts).toEqual(sessions.map(({ sessionId }) => `You said: for ${sessionId}`));
    expect(daemon.dials).toBe(1);
  });

  test("two resumed sessions never see each other's events", async () => {
    const { daemon, connection } = await connected(options);
    const ids = [daemon.addSession().id, daemon.addSession().id];
    const sessions = await Promise.all(ids.map((id) => connection.resumeSession(id)));
    const heard = sessions.map(() => [] as unknown[]);
    sessions.forEach((session, index) => {
      session.onNotification((notification) => heard[index]?.push(notification));
    });
    const events = await Promise.all(
      sessions.map((session) => collect(session.stream(`only ${session.sessionId}`, { includePartialMessages: true }))),
    );
    ids.forEach((id, index) => {
      const other = ids[1 - index] as string;
      expect(JSON.stringify(events[index])).toContain(`only ${id}`);
      expect(JSON.stringify([events[index], heard[index]])).not.toContain(other);
    });
  });

  test("run() makes a session, gives the answer, and closes the session", async () => {
    const { daemon, connection } = await connected(options);
    const seen: string[] = [];
    const result = await connection.run("hi", { cwd: "/repo", onEvent: ({ type }) => seen.push(type) });
    expect(result).toMatchObject({ type: "result", text: "You said: hi", success: true });
    expect(seen).toEqual(["user", "assistant"]);
    expect(daemon.received.map(({ method }) => method)).toEqual([
      "authenticate",
      "initialize_session",
      "add_user_message",
      "close_session",
    ]);
  });

  test("interruptSession interrupts a session that this connection has not loaded", async () => {
    const { daemon, connection } = await connected(options);
    daemon.onPrompt(hang());
    const session = await connection.createSession();
    const result = resultOf(session.stream("hi"));
    await daemon.waitForRequest("add_user_message");
    const second = await connectDaemon({ transport: daemon.dial, apiKey: "fk" });
    await second.interruptSession(session.sessionId);
    expect((await result).type).toBe("result");
    // The handle for the interrupt is gone again: the session can be resumed on that connection.
    expect((await second.resumeSession(session.sessionId)).sessionId).toBe(session.sessionId);
  });
});

test("createSession sends the credential, the defaults, the settings, and no handler", async () => {
  const { daemon, connection } = await connected({}, { apiKey: "fk-1" });
  const session = await connection.createSession({
    cwd: "/repo",
    autonomyLevel: "low",
    modelId: "m",
    tags: [{ name: "bot" }],
    permissionHandler: () => "cancel",
  });
  const { params } = await daemon.waitForRequest("initialize_session");
  expect(params).toEqual({
    token: "fk-1",
    machineId: "default",
    cwd: "/repo",
    autonomyLevel: "low",
    modelId: "m",
    tags: [{ name: "bot" }, { name: "sdk", metadata: { language: "typescript" } }],
  });
  expect(session.snapshot).toMatchObject({
    settings: { modelId: "m", autonomyLevel: "low" },
    history: [],
    cwd: "/repo",
  });
});

test("createSession passes on what only the agent knows", async () => {
  const { daemon, connection } = await connected();
  const systemPrompt = { type: "preset", preset: "droid", append: "Be brief." };
  await connection.createSession({
    ...{ systemPrompt, disableBuiltinSkills: true },
    agentParams: { missionSettings: { skipScrutiny: true }, cwd: "/elsewhere" },
  });
  expect((await daemon.waitForRequest("initialize_session")).params).toMatchObject({
    ...{ systemPrompt, disableBuiltinSkills: true, missionSettings: { skipScrutiny: true } },
    cwd: ".",
  });
});

test("resumeSession brings the history, and its result needs no session id", async () => {
  const { daemon, connection } = await connected();
  const message = {
    id: "m-1",
    role: "user",
    content: [{ type: "text" as const, text: "before" }],
    createdAt: 1,
    updatedAt: 1,
  };
  const { id } = daemon.addSession({ messages: [message], title: "Old" });
  const session = await connection.resumeSession(id, { loadAllMessages: true });
  expect(session.sessionId).toBe(id);
  expect(session.snapshot).toMatchObject({ history: [message], title: "Old" });
  expect((await daemon.waitForRequest("load_session")).params).toEqual({
    sessionId: id,
    token: "fk-test",
    loadAllMessages: true,
  });
});

test("an unknown session is told by name, and the id is free again", async () => {
  const { daemon, connection } = await connected();
  const error = await rejection(connection.resumeSession("nope"));
  expect(error).toBeInstanceOf(SessionNotFoundError);
  expect(error).toMatchObject({ code: "SESSION_NOT_FOUND", sessionId: "nope" });
  daemon.addSession({ id: "nope" });
  expect((await connection.resumeSession("nope")).sessionId).toBe("nope");
});

test("a session that was detached can be resumed on the same connection", async () => {
  const { daemon, connection } = await connected({ capabilities: OUR_CAPABILITIES });
  const { id } = daemon.addSession();
  const first = await connection.resumeSession(id);
  await first.detach();
  expect(await rejection(first.send("x"))).toMatchObject({ code: "SESSION_DETACHED" });
  await daemon.waitForRequest("detach_session");
  expect(await resultOf((await connection.resumeSession(id)).stream("hi"))).toMatchObject({ success: true });
});

test("a plain daemon is not told of a detach, because it does not know the word", async () => {
  const { daemon, connection } = await connected();
  const session = await connection.createSession();
  await session.detach();
  expect(daemon.received.map(({ method }) => method)).not.toContain("detach_session");
});

test("a daemon that keeps requests is told that they are left to it, a plain one is not", async () => {
  for (const inbox of [true, undefined]) {
    const { daemon, connection } = await connected(inbox ? { capabilities: { inbox } } : {});
    const session = await connection.createSession();
    await session.detach();
    await connection.resumeSession(session.sessionId);
    const params = ["initialize_session", "load_session"].map(
      (name) => daemon.received.find(({ method }) => method === name)?.params.inbox,
    );
    expect(params).toEqual([inbox, inbox]);
  }
});

test("the calls by id need no loaded session", async () => {
  const { daemon, connection } = await connected();
  const { id } = daemon.addSession({ title: "One" });
  await connection.renameSession(id, "Two");
  await connection.archiveSession(id);
  await connection.unarchiveSession(id);
  await connection.getSessionMessages(id, { limit: 5 });
  await connection.searchSessions({ query: "x" });
  expect((await connection.listAvailableSessions()).sessions).toMatchObject([{ sessionId: id, title: "Two" }]);
  expect(await connection.listOpenedSessions()).toBeInstanceOf(Array);
  expect(daemon.received.map(({ method }) => method)).not.toContain("load_session");
});

test("run() closes the session also when its turn cannot be streamed", async () => {
  const { daemon, connection } = await connected();
  daemon.onPrompt(hang());
  const controller = new AbortController();
  const error = rejection(connection.run("hi", { signal: controller.signal }));
  await daemon.waitForRequest("add_user_message");
  controller.abort(new RangeError("enough"));
  expect(await error).toMatchObject({ message: "enough" });
  await daemon.waitForRequest("close_session");
});

test("a session that another connection started can be followed to the end of its running turn", async () => {
  const { daemon, connection } = await connected({ capabilities: OUR_CAPABILITIES });
  let finish: () => void = () => {};
  daemon.onPrompt((prompt) =>
    prompt.text === "theirs"
      ? new Promise((resolve) => {
          finish = () => {
            prompt.message("for them");
            resolve();
          };
        })
      : void prompt.message("for us"),
  );
  const session = await connection.createSession();
  await session.send("theirs");
  await session.detach();
  const ours = await connection.resumeSession(session.sessionId);
  const events = collect(ours.stream("ours"));
  await daemon.waitForRequest("add_user_message", 2);
  finish();
  expect(JSON.stringify(await events)).not.toContain("for them");
  expect((await events).at(-1)).toMatchObject({ text: "for us" });
});

test("resumeSession moves a session to another directory, and is refused where the daemon cannot", async () => {
  const { daemon, connection } = await connected({ capabilities: { workspace: true } });
  const { id } = daemon.addSession({ cwd: "/gone" });
  const session = await connection.resumeSession(id, { cwd: "/kept" });
  expect(session.snapshot.cwd).toBe("/kept");
  expect((await daemon.waitForRequest("load_session")).params).toMatchObject({ cwd: "/kept" });
  const { daemon: older, connection: toOlder } = await connected();
  const refused = toOlder.resumeSession(older.addSession().id, { cwd: "/kept" });
  await expect(refused).rejects.toMatchObject({ code: "METHOD_NOT_FOUND" });
  await expect(connection.resumeSession(id, { cwd: 7 as never })).rejects.toMatchObject({ code: "INVALID_OPTION" });
});

test("files, differences, models and default settings are asked for by one call each", async () => {
  const { daemon, connection } = await connected({ capabilities: { workspace: true } });
  const session = await connection.resumeSession(daemon.addSession().id);
  expect(await session.listFiles({ showHidden: true })).toEqual({ files: [] });
  expect(await session.getGitDiff({ baseBranch: "main" })).toMatchObject({ success: false });
  expect(await connection.listModels("fake")).toEqual([]);
  expect(await connection.getDefaultSettings()).toEqual({ availableModels: [] });
  const asked = await daemon.waitForRequest("get_git_diff");
  expect(asked.params).toEqual({ sessionId: session.sessionId, baseBranch: "main" });
});
