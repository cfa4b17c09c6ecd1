import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createHttpHandler, fileCursors, type HttpHandlerOptions, type WebhookCursors } from "../../src/index.js";
import { byName, openGateway, requestOf } from "../support/gateway.js";
import { type Receiver, startReceiver } from "../support/receiver.js";

let directory: string;
let receiver: Receiver;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "webhooks-"));
  receiver = await startReceiver();
});

afterEach(async () => {
  await receiver[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

function webhooks(cursors: WebhookCursors = fileCursors(directory)): Pick<HttpHandlerOptions, "webhooks"> {
  return { webhooks: { cursors, receivers: [receiver.origin], pauseMs: 1 } };
}

interface Added {
  readonly webhookId: string;
  readonly secret: string;
}

async function added(response: Response): Promise<Added> {
  expect(response.status).toBe(201);
  return (await response.json()) as Added;
}

const isResult = ({ json: { type } }: Receiver["received"][number]) => type === "result";

test("the result of a turn is delivered, signed as Standard Webhooks, and its secret is stated once", async () => {
  await using gateway = await openGateway(webhooks());
  const { id: sessionId } = gateway.daemon.addSession();
  const { webhookId, secret } = await added(
    await gateway.call("POST", "/webhooks", { url: `${receiver.origin}/hook`, sessionId }),
  );
  await gateway.connection.send(sessionId, "hello", { messageId: "m-1" });
  const { body, headers, json } = await receiver.until(isResult);
  expect(new Webhook(secret).verify(body, headers)).toEqual(json);
  expect(() => new Webhook(secret).verify(body.replace("success", "failure"), headers)).toThrow();
  expect(json).toMatchObject({ sessionId, turnId: "m-1", data: { text: "You said: hello" } });
  const shown = await (await gateway.call("GET", `/webhooks/${webhookId}`)).text();
  expect(shown).not.toContain(secret.slice(6));
  expect(await (await gateway.call("GET", "/webhooks")).text()).not.toContain(secret.slice(6));
});

test("a question is delivered as soon as it is pending, and again when it is answered", async () => {
  await using gateway = await openGateway(webhooks());
  const { id: sessionId } = gateway.daemon.addSession();
  gateway.daemon.onPrompt(async (prompt) => {
    await prompt.askUser({ questions: [{ index: 1, topic: "Colour", question: "Which?", options: ["red"] }] });
    prompt.message("done");
  });
  await added(await gateway.call("POST", "/webhooks", { url: receiver.origin, sessionId }));
  await gateway.connection.send(sessionId, "ask");
  const { json } = await receiver.until(({ json: { type } }) => type === "requests");
  const { requests } = json.data as { requests: { requestId: string }[] };
  await gateway.call("POST", `/requests/${requests[0]?.requestId}/answer`, { cancelled: true, answers: [] });
  await receiver.until(({ json: { type, data } }) => type === "requests" && Object(data).requests.length === 0);
  await receiver.until(isResult);
});

test.each([500, 404, 302, 0])(
  "a receiver that answers %d gets the delivery again, under the same id, and then the next",
  async (status) => {
    await using gateway = await openGateway(webhooks());
    const { id: sessionId } = gateway.daemon.addSession();
    const { webhookId } = await added(await gateway.call("POST", "/webhooks", { url: receiver.origin, sessionId }));
    receiver.status = status;
    await gateway.connection.send(sessionId, "one");
    await receiver.until(() => receiver.received.length === 3);
    expect(await (await gateway.call("GET", `/webhooks/${webhookId}`)).json()).toHaveProperty("failingSince");
    receiver.status = 200;
    await gateway.connection.send(sessionId, "two");
    await receiver.until(({ body }) => body.includes("You said: two"));
    const ids = receiver.received.map(({ headers }) => headers["webhook-id"]);
    expect(new Set(ids).size).toBe(2);
    expect(receiver.received.map(({ headers }) => headers["webhook-id"])).toEqual([...ids.slice(0, -1), ids.at(-1)]);
    const first = receiver.received.filter(({ headers }) => headers["webhook-id"] === ids[0]);
    expect(new Set(first.map(({ body }) => body)).size).toBe(1);
  },
);

describe("after a restart", () => {
  test("what happened meanwhile is delivered, from the stored position on", async () => {
    const first = await openGateway(webhooks());
    const { id: sessionId } = first.daemon.addSession();
    await added(await first.call("POST", "/webhooks", { url: receiver.origin, sessionId }));
    await first.connection.send(sessionId, "one");
    await receiver.until(isResult);
    await first.handler.close();
    const { messageId } = await first.connection.send(sessionId, "two");
    await first.connection.waitForReceipt(sessionId, messageId);
    const second = createHttpHandler(first.connection, { authorize: byName, ...webhooks() });
    await receiver.until(({ body }) => body.includes("You said: two"));
    expect(receiver.received.filter(isResult)).toHaveLength(2);
    await second.close();
    await first[Symbol.asyncDispose]();
  });

  test("a delivery whose acceptance was not stored is made again, under the same id", async () => {
    const files = fileCursors(directory);
    let isDead = false;
    // As after a kill: from some moment on nothing is written.
    const dying: WebhookCursors = {
      ...files,
      put: async (cursor) => (isDead ? new Promise(() => {}) : files.put(cursor)),
    };
    const first = await openGateway(webhooks(dying));
    const { id: sessionId } = first.daemon.addSession();
    await added(await first.call("POST", "/webhooks", { url: receiver.origin, sessionId }));
    isDead = true;
    await first.connection.send(sessionId, "one");
    await receiver.until(isResult);
    const second = createHttpHandler(first.connection, { authorize: byName, ...webhooks() });
    await receiver.until(() => receiver.received.filter(isResult).length === 2);
    const [one, two] = receiver.received.filter(isResult);
    expect(two?.headers["webhook-id"]).toBe(one?.headers["webhook-id"]);
    expect(two?.body).toBe(one?.body);
    await second.close();
    await first.connection.close();
  });
});

test("a receiver that answers 410 gets nothing more, and the webhook is removed", async () => {
  await using gateway = await openGateway(webhooks());
  const { id: sessionId } = gateway.daemon.addSession();
  const { webhookId } = await added(await gateway.call("POST", "/webhooks", { url: receiver.origin, sessionId }));
  receiver.status = 410;
  await gateway.connection.send(sessionId, "one");
  await receiver.until(isResult);
  await expect.poll(async () => (await gateway.call("GET", `/webhooks/${webhookId}`)).status).toBe(404);
  await expect.poll(() => readdir(directory)).toEqual([]);
});

test("deliveries go to the listed origins only", async () => {
  await using gateway = await openGateway(webhooks());
  const { id: sessionId } = gateway.daemon.addSession();
  const addresses = ["http://169.254.169.254/", "https://evil.example/", receiver.origin.replace("//", "//user:pw@")];
  for (const url of addresses) {
    const response = await gateway.call("POST", "/webhooks", { url, sessionId });
    expect(response.status).toBe(403);
    expect(await response.text()).not.toContain("pw");
  }
  expect(await readdir(directory)).toEqual([]);
});

test("a webhook belongs to its principal: others neither see nor remove it", async () => {
  await using gateway = await openGateway(webhooks());
  const { id: sessionId } = gateway.daemon.addSession();
  const { webhookId } = await added(await gateway.call("POST", "/webhooks", { url: receiver.origin, sessionId }));
  const as = { authorization: "Bearer other" };
  expect(await (await gateway.call("GET", "/webhooks", undefined, as)).json()).toEqual({ webhooks: [] });
  for (const method of ["GET", "DELETE"])
    expect((await gateway.call(method, `/webhooks/${webhookId}`, undefined, as)).status).toBe(404);
  expect((await gateway.handler(requestOf("DELETE", `/webhooks/${webhookId}`))).status).toBe(204);
  expect(await readdir(directory)).toEqual([]);
  expect((await gateway.call("POST", "/webhooks", { url: receiver.origin, sessionId: "unknown" })).status).toBe(404);
});

describe("fileCursors", () => {
  const cursor = {
    webhookId: "0f0e6c52-6a2b-4b8e-9d0c-1c2d3e4f5a6b",
    principalId: "one",
    url: "https://hooks.example.com/",
    sessionId: "s",
    events: ["result"],
    secret: "whsec_AAAA",
    createdAt: 1,
    position: { epoch: 1, seq: 1 },
  } as const;

  test("keeps what was put last, readable by its user only", async () => {
    const files = fileCursors(join(directory, "new"));
    expect(await files.list()).toEqual([]);
    const seqs = [1, 2, 3, 4, 5];
    await Promise.all(seqs.map((seq) => files.put({ ...cursor, position: { epoch: 1, seq } })));
    expect(await files.list()).toEqual([{ ...cursor, position: { epoch: 1, seq: 5 } }]);
    const [name] = await readdir(join(directory, "new"));
    expect((await stat(join(directory, "new", name ?? ""))).mode & 0o777).toBe(0o600);
    expect((await stat(join(directory, "new"))).mode & 0o777).toBe(0o700);
    await files.remove(cursor.webhookId);
    await files.remove(cursor.webhookId);
    expect(await files.list()).toEqual([]);
  });

  test("an id that is no id leads to no other file", () => {
    const files = fileCursors(directory);
    return expect(files.put({ ...cursor, webhookId: "../../escape" })).rejects.toMatchObject({
      code: "INVALID_OPTION",
    });
  });

  test("a file that cannot be read is named, and its content is not", async () => {
    await writeFile(join(directory, "broken.json"), '{"secret":"whsec_hunter2');
    const failure = await fileCursors(directory)
      .list()
      .catch((error: Error) => error);
    expect(failure).toMatchObject({ code: "STORAGE_FAILED" });
    expect(String(failure)).toContain("broken.json");
    expect(String(failure)).not.toContain("hunter2");
  });
});
