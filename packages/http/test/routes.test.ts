import { expect, test } from "vitest";
import { openGateway } from "./support/gateway.js";
import { readUntil } from "./support/read-events.js";

const ID = "5f6b3c1e-8d7a-4b7e-9c49-0d2a1f0e6b11";

test("a session is made, prompted, followed and read by requests alone", async () => {
  await using gateway = await openGateway();
  const { call } = gateway;
  gateway.daemon.whenPrompted("hello").streams(["Good ", "day."]);

  const made = await call("POST", "/sessions", { sessionId: ID, cwd: "/srv" });
  expect(made.status).toBe(201);
  expect(made.headers.get("location")).toBe(`/sessions/${ID}`);
  const session = await made.json();
  expect(session).toMatchObject({ sessionId: ID, messages: [] });

  const events = await call("GET", `/sessions/${ID}/events`, undefined, { "last-event-id": session.lastEventId });
  expect(events.headers.get("content-type")).toContain("text/event-stream");
  const sent = await call("POST", `/sessions/${ID}/messages`, { text: "hello" }, { "idempotency-key": '"m-1"' });
  expect(sent.status).toBe(202);
  expect(await sent.json()).toMatchObject({ messageId: "m-1", receipt: { messageId: "m-1" } });
  const location = sent.headers.get("location") ?? "";
  expect(location).toBe(`/sessions/${ID}/receipts/m-1`);

  const seen = await readUntil(events, ({ event }) => event === "result");
  expect(seen.map(({ event }) => event)).toEqual(["user", "assistant", "result"]);
  expect(seen.at(-1)?.data).toMatchObject({ type: "result", text: "Good day.", success: true, turnId: "m-1" });

  const receipt = await call("GET", `${location}?wait=30`);
  expect(await receipt.json()).toMatchObject({ messageId: "m-1", state: "completed", text: "Good day." });
  const again = await call("POST", `/sessions/${ID}/messages`, { text: "hello" }, { "idempotency-key": "m-1" });
  expect(await again.json()).toMatchObject({ receipt: { state: "completed" } });
  expect(gateway.daemon.received.prompts()).toHaveLength(2);

  const { messages } = await (await call("GET", `/sessions/${ID}/messages?limit=10`)).json();
  expect(messages).toHaveLength(2);
  const { sessions } = await (await call("GET", "/sessions?limit=10")).json();
  expect(sessions).toMatchObject([{ sessionId: ID }]);
});

test("one session is shown to many at once, while it is prompted and after it was closed", async () => {
  await using gateway = await openGateway();
  const { id } = gateway.daemon.addSession();
  const shown = () => gateway.call("GET", `/sessions/${id}`);
  const prompt = (key: string) =>
    gateway.call("POST", `/sessions/${id}/messages`, { text: key }, { "idempotency-key": key });
  const answers = await Promise.all([shown(), prompt("a"), shown(), prompt("a"), shown(), prompt("b")]);
  expect(answers.map(({ status }) => status)).toEqual([200, 202, 200, 202, 200, 202]);
  for (const key of ["a", "b"]) await gateway.call("GET", `/sessions/${id}/receipts/${key}?wait=30`);
  expect((await gateway.call("POST", `/sessions/${id}/close`)).status).toBe(204);
  expect((await prompt("c")).status).toBe(202);
  const receipt = await gateway.call("GET", `/sessions/${id}/receipts/c?wait=30`);
  expect(await receipt.json()).toMatchObject({ state: "completed", text: "You said: c" });
});

test("a receipt that is not final is returned when the time is over, and a message that nobody sent is unknown", async () => {
  await using gateway = await openGateway();
  const { id } = gateway.daemon.addSession();
  gateway.daemon.onPrompt(() => new Promise(() => {}));
  await gateway.call("POST", `/sessions/${id}/messages`, { text: "go" }, { "idempotency-key": "m" });
  const early = await gateway.call("GET", `/sessions/${id}/receipts/m?wait=0.05`);
  expect(await early.json()).toMatchObject({ state: "running" });
  expect((await gateway.call("POST", `/sessions/${id}/interrupt`)).status).toBe(204);
  const final = await gateway.call("GET", `/sessions/${id}/receipts/m?wait=30`);
  expect(await final.json()).toMatchObject({ state: "interrupted" });
  expect(await (await gateway.call("GET", `/sessions/${id}/receipts/nobody?wait=30`)).json()).toMatchObject({
    state: "unknown",
  });
});

test("a session is deleted with DELETE; one at work only with force", async () => {
  await using gateway = await openGateway();
  const { id } = gateway.daemon.addSession();
  gateway.daemon.onPrompt(() => new Promise(() => {}));
  await gateway.call("POST", `/sessions/${id}/messages`, { text: "go" });
  expect((await gateway.call("DELETE", `/sessions/${id}`)).status).toBe(409);
  expect((await gateway.call("DELETE", `/sessions/${id}?force=yes`)).status).toBe(400);
  expect((await gateway.call("DELETE", `/sessions/${id}?force=true`)).status).toBe(204);
  expect((await gateway.call("GET", `/sessions/${id}`)).status).toBe(404);
  expect((await gateway.call("DELETE", `/sessions/${id}`)).status).toBe(404);
});

test("a client that does not read costs one page, whatever the session sends", async () => {
  await using gateway = await openGateway();
  const { id } = gateway.daemon.addSession();
  gateway.daemon.onPrompt((prompt) => {
    for (let piece = 0; piece < 2_000; piece++) prompt.delta(`${piece} `);
    prompt.message();
  });
  const response = await gateway.call("GET", `/sessions/${id}/events?partial=true`);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  const before = gateway.daemon.received.calls("get_session_events").length;
  const { messageId } = await gateway.connection.send(id, "go");
  await gateway.connection.waitForReceipt(id, messageId);
  expect(gateway.daemon.received.calls("get_session_events").length - before).toBeLessThanOrEqual(1);
  for (let read = 0; read < 10; read++) await reader.read();
  expect(gateway.daemon.received.calls("get_session_events").length - before).toBeLessThanOrEqual(2);
  await reader.cancel();
});
