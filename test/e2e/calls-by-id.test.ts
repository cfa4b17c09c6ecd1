import { connectDaemon, DaemonError } from "@daemon-sdk/client";
import { expect, test } from "vitest";
import { startDaemonProcess } from "../support/daemon-process.js";

test("every call by id works for a session that is closed, but send without `create`; for one that does not exist it says so", async () => {
  await using daemon = await startDaemonProcess();
  await using connection = await connectDaemon();
  const { sessionId } = await connection.createSession({ cwd: daemon.workspace });
  const { messageId } = await connection.send(sessionId, "say Hello.");
  await connection.waitForReceipt(sessionId, messageId);
  await connection.closeSession(sessionId);

  const eventsOfTurn = async (id: string) => {
    const types: string[] = [];
    for await (const { type } of connection.follow(id, { turnId: messageId })) types.push(type);
    return types.join();
  };
  const calls: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
    send: (id) => connection.send(id, "say more"),
    follow: eventsOfTurn,
    waitForReceipt: async (id) => (await connection.waitForReceipt(id, messageId)).text,
    getReceipts: async (id) => (await connection.getReceipts(id, [messageId]))[0]?.state,
    getSessionMessages: async (id) => (await connection.getSessionMessages(id)).messages.length,
    listRequests: (id) => connection.listRequests({ sessionId: id }),
    interruptSession: (id) => connection.interruptSession(id),
    closeSession: (id) => connection.closeSession(id),
    renameSession: (id) => connection.renameSession(id, "Later"),
    archiveSession: async (id) => typeof (await connection.archiveSession(id)).archivedAt,
    unarchiveSession: (id) => connection.unarchiveSession(id),
    deleteSession: (id) => connection.deleteSession(id),
  };
  const outcomes = async (id: string) => {
    const seen: Record<string, unknown> = {};
    for (const [name, call] of Object.entries(calls)) {
      seen[name] = await call(id).catch((error: unknown) => (DaemonError.is(error) ? error.code : error));
    }
    return seen;
  };
  expect(await outcomes(sessionId)).toEqual({
    send: "SESSION_CLOSED",
    follow: "user,assistant,result",
    waitForReceipt: "Hello.",
    getReceipts: "completed",
    getSessionMessages: 2,
    listRequests: [],
    interruptSession: undefined,
    closeSession: undefined,
    renameSession: undefined,
    archiveSession: "number",
    unarchiveSession: undefined,
    deleteSession: undefined,
  });
  const names = Object.keys(calls);
  expect(await outcomes("never-made")).toEqual(Object.fromEntries(names.map((name) => [name, "SESSION_NOT_FOUND"])));
});
