import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hasPerlClient, runPerlConsumer } from "../../packages/http/test/support/perl-consumer.js";
import { readUntil } from "../../packages/http/test/support/read-events.js";
import { startReceiver } from "../../packages/http/test/support/receiver.js";
import { runRestConsumer } from "../../packages/http/test/support/rest-consumer.js";
import { DAEMON_PROGRAM, type DaemonProcess, startDaemonProcess } from "../support/daemon-process.js";

const KEY = "fk-http-key-of-a-test";
const OTHER = "fk-http-key-of-another";

let daemon: DaemonProcess;
let server: ChildProcess;
let baseUrl: string;

beforeEach(async () => {
  daemon = await startDaemonProcess({ apiKeys: [KEY, OTHER] });
  await serve();
});

afterEach(async () => {
  await ended();
  // One that the server started, after the first was killed.
  await promisify(execFile)(process.execPath, [DAEMON_PROGRAM, "stop", "--now"]);
  await daemon.stop();
});

/** Runs `local-daemon serve --http` until it states its address. */
async function serve(...args: string[]): Promise<void> {
  const env = { ...process.env, DAEMON_SDK_HOME: daemon.stateDir };
  server = spawn(process.execPath, [DAEMON_PROGRAM, "serve", "--http", ...args], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  for await (const piece of server.stdout?.setEncoding("utf8") ?? []) {
    said += piece;
    const [, address] = /Serving (http:\S+)/.exec(said) ?? [];
    if (address === undefined) continue;
    baseUrl = address;
    return;
  }
  throw new TypeError(`The server ended: ${said}`);
}

async function ended(): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  server.kill("SIGINT");
  await once(server, "exit");
}

function call(path: string, key = KEY, body?: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${baseUrl}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

test("local-daemon serve --http runs the generated client's back end against a real daemon, and ends with Ctrl-C", async () => {
  await runRestConsumer({ baseUrl, key: KEY, cwd: daemon.workspace, asking: "ask Which? red | blue" });
  await ended();
  expect(server.exitCode).toBe(0);
});

test("a client that was generated in another language runs the same back end", async ({ skip }) => {
  skip(!hasPerlClient(), "OpenAPI::Client is not installed: apt-get install libopenapi-client-perl");
  const asking = "ask Which? red | blue";
  await expect(runPerlConsumer({ baseUrl, key: KEY, cwd: daemon.workspace, asking })).resolves.toBeUndefined();
});

test("callers are those of the daemon's keys and of its token; each key reaches its own sessions, the person all", async () => {
  const made = await call("/sessions", KEY, { cwd: daemon.workspace });
  const { sessionId } = (await made.json()) as { sessionId: string };
  const statuses = async (path: string) => {
    const keys = [KEY, OTHER, daemon.token, "fk-no-such-key-at-all"];
    return Promise.all(keys.map(async (key) => (await call(path, key)).status));
  };
  expect(await statuses(`/sessions/${sessionId}`)).toEqual([200, 404, 200, 401]);
  expect(await statuses(`/sessions/${sessionId}/messages`)).toEqual([200, 404, 200, 401]);
  expect((await fetch(`${baseUrl}/sessions`)).status).toBe(401);
  const foreign = await call("/sessions", KEY, undefined, { origin: "https://evil.example" });
  expect(foreign.status).toBe(403);
});

test("a stream goes on over a daemon that is killed and over another server, each event once, the turn to its end", async () => {
  const made = await call("/sessions", KEY, { cwd: daemon.workspace });
  const { sessionId, lastEventId } = (await made.json()) as { sessionId: string; lastEventId: string };
  const events = `/sessions/${sessionId}/events?partial=true`;
  const first = await call(events, KEY, undefined, { "last-event-id": lastEventId });
  await call(`/sessions/${sessionId}/messages`, KEY, { text: "say one" }, { "idempotency-key": "one" });
  const seen = await readUntil(first, ({ event }) => event === "result");
  const { pid } = JSON.parse(readFileSync(join(daemon.stateDir, "endpoint.json"), "utf8")) as { pid: number };
  process.kill(pid, "SIGKILL");
  await ended();
  await serve();
  const second = await call(events, KEY, undefined, { "last-event-id": seen.at(-1)?.id ?? "" });
  await call(`/sessions/${sessionId}/messages`, KEY, { text: "say two" }, { "idempotency-key": "two" });
  const later = await readUntil(second, ({ event }) => event === "result");
  expect(later.at(-1)?.data).toMatchObject({ turnId: "two", text: "two" });
  const whole = await call(events, KEY, undefined, { "last-event-id": lastEventId });
  const last = later.at(-1)?.id;
  const placed = (all: typeof seen) =>
    all.filter(({ event }) => event !== "requests").map(({ id, event }) => `${event} ${id}`);
  const replayed = placed(await readUntil(whole, ({ id, event }) => id === last && event === "result"));
  expect([...placed(seen), ...placed(later)]).toEqual(replayed);
});

test("a webhook is delivered what happened while its server was killed, once that runs again", async () => {
  await using receiver = await startReceiver();
  await ended();
  await serve("--webhook-origin", receiver.origin);
  const made = await call("/sessions", KEY, { cwd: daemon.workspace });
  const { sessionId } = (await made.json()) as { sessionId: string };
  expect((await call("/webhooks", KEY, { url: `${receiver.origin}/hook`, sessionId })).status).toBe(201);
  const prompt = (text: string) => call(`/sessions/${sessionId}/messages`, KEY, { text: `say ${text}` });
  const delivered = (text: string) =>
    receiver.until(({ json }) => json.type === "result" && Object(json.data).text === text);
  await prompt("one");
  await delivered("one");
  // The turn is accepted, and its end finds no server.
  await prompt("two");
  server.kill("SIGKILL");
  await once(server, "exit");
  await serve("--webhook-origin", receiver.origin);
  const { headers } = await delivered("two");
  await prompt("three");
  await delivered("three");
  expect(headers["webhook-signature"]).toMatch(/^v1,/);
  const ids = new Set(
    receiver.received.filter(({ json }) => json.type === "result").map(({ headers }) => headers["webhook-id"]),
  );
  expect(ids.size).toBe(3);
});
