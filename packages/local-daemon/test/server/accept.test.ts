import { InvalidOptionError, LIMITS } from "@daemon-sdk/protocol";
import { memoryTransport } from "@daemon-sdk/testing";
import { expect, test } from "vitest";
import { SERVING_LIMITS } from "../../src/limits/index.js";
import { type Daemon, MemoryStore, PERSON, type Principal } from "../../src/server.js";
import { TestClient } from "../sessions/harness.js";
import { daemonDesk } from "./daemon-desk.js";

const KEY = "a-configured-key-of-this-test";
const A_SESSION = "0b0e7a36-6f5c-4a7e-9d0e-3a8f3f0f7f01";

/** A client of the far end of a link that the daemon was handed. */
async function handed(daemon: Daemon, principal?: Principal): Promise<TestClient> {
  const { near, far } = memoryTransport();
  const client = new TestClient(near);
  await daemon.accept(far, principal);
  return client;
}

test("a link that is handed over with a principal needs no authentication: a turn runs on it", async () => {
  await using desk = daemonDesk();
  const client = await handed(await desk.start({ store: new MemoryStore() }), PERSON);
  await client.createSession("s-1", { cwd: desk.cwd });
  await client.call("add_user_message", { sessionId: "s-1", text: "say hello", messageId: "m-1" });
  expect(await client.turnEnd("m-1")).toMatchObject({ reason: "completed" });
});

test("whatever credential its peer sends, it acts for the principal that it was handed over with", async () => {
  await using desk = daemonDesk();
  const daemon = await desk.start({ apiKeys: [KEY] });
  const person = await handed(daemon, PERSON);
  await person.createSession("of-the-person", { cwd: desk.cwd });
  const user = await handed(daemon, { keyId: "user-42" });
  await user.createSession(A_SESSION, { cwd: desk.cwd });
  for (const credential of [{ token: "wrong" }, { apiKey: KEY }, { token: "wrong" }, { token: "wrong" }]) {
    const { result } = await user.authenticate(credential);
    expect(result).toMatchObject({ userId: "local" });
  }
  expect(user.seen.filter(({ method }) => method === "daemon.connection_status")).toHaveLength(1);
  const { error } = await user.call("load_session", { sessionId: "of-the-person", token: "t" });
  expect(error).toMatchObject({ code: -32004 });
  const { sessions } = await user.result("list_opened_sessions", {});
  expect(sessions).toMatchObject([{ sessionId: A_SESSION }]);
  expect(user.closeCode).toBeUndefined();
});

test("without a principal its peer authenticates, or is closed as at the socket", async () => {
  await using desk = daemonDesk();
  const daemon = await desk.start({ apiKeys: [KEY], limits: { authenticateMs: 300 } });
  const client = await handed(daemon);
  expect((await client.call("list_opened_sessions", {})).error).toMatchObject({ code: -32001 });
  expect((await client.authenticate({ proof: "0".repeat(64) })).error).toMatchObject({ code: -32001 });
  expect((await client.authenticate({ apiKey: KEY })).error).toBeUndefined();
  const silent = await handed(daemon);
  await silent.when(() => silent.closeCode !== undefined);
  expect(silent.closeCode).toBe(4401);
  expect(client.closeCode).toBeUndefined();
});

test("a call is no larger on such links than at the socket, and a large prompt arrives whole", async () => {
  await using desk = daemonDesk();
  const client = await handed(await desk.start(), PERSON);
  const { error } = await client.call("list_opened_sessions", { extra: "x".repeat(LIMITS.callBytes) });
  expect(error).toMatchObject({ data: { code: "MESSAGE_TOO_LARGE" } });
  await client.createSession("s-1", { cwd: desk.cwd });
  const text = `say ${"ü".repeat(LIMITS.callBytes)}`;
  expect((await client.call("add_user_message", { sessionId: "s-1", text, messageId: "m-1" })).error).toBeUndefined();
  expect(await client.turnEnd("m-1")).toMatchObject({ reason: "completed" });
});

test("what came before the daemon could serve the link is served in order", async () => {
  await using desk = daemonDesk();
  const daemon = await desk.start();
  const { near, far } = memoryTransport();
  const client = new TestClient(near);
  const ids = ["a", "b", "c"].map((id) => client.send("list_opened_sessions", {}, id));
  await daemon.accept(far, PERSON);
  await client.until(({ id }) => id === "c");
  expect(client.seen.map(({ id }) => id)).toEqual(ids);
});

test("the connections of a key are bounded on such links, too, and a place is free again after an end", async () => {
  await using desk = daemonDesk();
  const daemon = await desk.start();
  const user = { keyId: "user-42" };
  const clients = await Promise.all(
    Array.from({ length: SERVING_LIMITS.connectionsPerKey }, () => handed(daemon, user)),
  );
  const { near, far } = memoryTransport();
  await expect(daemon.accept(far, user)).rejects.toMatchObject({ code: "QUEUE_FULL" });
  const [first] = clients as [TestClient];
  await first.result("logout", {});
  await first.when(() => first.closeCode !== undefined);
  const late = new TestClient(near);
  await daemon.accept(far, user);
  await late.result("list_opened_sessions", {});
});

test("a daemon that stops closes them with 1001, also one that comes after its end", async () => {
  await using desk = daemonDesk();
  const daemon = await desk.start();
  const client = await handed(daemon, PERSON);
  await daemon.close({ drainMs: 0 });
  expect(client.closeCode).toBe(1001);
  const late = await handed(daemon, PERSON);
  await late.when(() => late.closeCode !== undefined);
  expect(late.closeCode).toBe(1001);
});

test("what is no principal is refused before the link is touched", async () => {
  await using desk = daemonDesk();
  const daemon = await desk.start();
  for (const wrong of [null, "person", {}, { keyId: "" }, { keyId: 1 }, { keyId: "k".repeat(257) }]) {
    const { far } = memoryTransport();
    await expect(daemon.accept(far, wrong as Principal)).rejects.toBeInstanceOf(InvalidOptionError);
    expect(far.onMessage).toBeUndefined();
  }
});
