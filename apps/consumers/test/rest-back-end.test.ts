import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EventParser, type SentEvent } from "../../../packages/http/test/support/read-events.js";
import { CHROMIUM, WITHOUT_CHROMIUM } from "../../../test/browser/chromium-path.js";
import { type DaemonProcess, startDaemonProcess } from "../../../test/support/daemon-process.js";
import { type BotProcess, startBot } from "./bot-process.js";

const KEY = "the key; of a test";

let daemon: DaemonProcess;
let backEnd: BotProcess;

beforeAll(async () => {
  daemon = await startDaemonProcess();
  backEnd = await start();
});

afterAll(async () => {
  await backEnd[Symbol.asyncDispose]();
  await daemon.stop();
});

const start = (): Promise<BotProcess> => startBot("rest-back-end", { KEY, WORKSPACE: daemon.workspace });

function call(path: string, body?: object, headers: Record<string, string> = {}): Promise<Response> {
  const method = body === undefined ? "GET" : "POST";
  return fetch(`http://127.0.0.1:${backEnd.port}${path}`, {
    method,
    headers: { authorization: `Bearer ${KEY}`, ...headers },
    ...(body && { body: JSON.stringify(body) }),
  });
}

function send(thread: string, key: string, text: string): Promise<Response> {
  return call(`/threads/${thread}/messages`, { text }, { "idempotency-key": key });
}

/** Events of a turn after an id, until one fits or the stream ends; `kind` names the type of each. */
async function read(thread: string, turn: string, fits: (kind: string) => boolean, lastId = ""): Promise<SentEvent[]> {
  const response = await call(`/threads/${thread}/turns/${turn}`, undefined, lastId ? { "last-event-id": lastId } : {});
  expect(response.status).toBe(200);
  const parser = new EventParser();
  const events: SentEvent[] = [];
  for await (const piece of response.body ?? []) {
    for (const event of parser.push(piece)) {
      events.push(event);
      if (fits(kindOf(event))) return events;
    }
  }
  return events;
}

const kindOf = ({ data }: SentEvent): string => String(Object(data).type);
const never = () => false;

test("the first message makes the thread, the same key is the same message, and the turn's events end with the result", async () => {
  expect((await send("t:1", "k-1", "append ran.txt: ran\\n ; then say Done.")).status).toBe(202);
  expect(await (await send("t:1", "k-1", "append ran.txt: ran\\n ; then say Done.")).json()).toEqual({
    messageId: "k-1",
  });
  const asked = await read("t:1", "k-1", (kind) => kind === "request_opened" || kind === "result");
  if (kindOf(asked.at(-1) as SentEvent) === "request_opened") await answer(asked.at(-1));
  const events = await read("t:1", "k-1", never);
  expect(events.at(-1)?.data).toMatchObject({ type: "result", subtype: "success" });
  expect(readFileSync(join(daemon.workspace, "ran.txt"), "utf8")).toBe("ran\n");
  const { sessions } = (await (await call("/threads")).json()) as { sessions: { sessionId: string }[] };
  expect(sessions.map(({ sessionId }) => sessionId)).toContain("t:1");
});

test("a stream goes on after the id that was received, when the back end was killed in the middle of the turn", async () => {
  await send("t:2", "k-2", "list\ncount 40 every 25");
  const seen = await read("t:2", "k-2", (kind) => kind === "assistant_text_delta");
  await backEnd[Symbol.asyncDispose]();
  backEnd = await start();
  const rest = await read("t:2", "k-2", never, seen.at(-1)?.id);
  const whole = await read("t:2", "k-2", never);
  expect([...seen, ...rest].map(({ id }) => id)).toEqual(whole.map(({ id }) => id));
  expect(kindOf(whole.at(-1) as SentEvent)).toBe("result");
});

test("a request is shown with its choices and answered once; a turn is interrupted by its id", async () => {
  await send("t:3", "k-3", "ask Which colour? red | blue");
  const events = await read("t:3", "k-3", (kind) => kind === "request_opened");
  expect(events.at(-1)?.data).toMatchObject({ text: "Which colour?", choices: [{ label: "red" }, { label: "blue" }] });
  expect((await answer(events.at(-1))).status).toBe(204);
  expect(await (await call(`/requests/${requestIdOf(events.at(-1))}`, { answer: { cancelled: true } })).json()).toEqual(
    {
      code: "REQUEST_NOT_PENDING",
    },
  );
  await read("t:3", "k-3", never);
  await send("t:3", "k-4", "count 1000 every 50");
  await read("t:3", "k-4", (kind) => kind === "assistant_text_delta");
  expect((await call("/threads/t:3/turns/k-4/interrupt", {})).status).toBe(204);
  const rest = await read("t:3", "k-4", never);
  expect(rest.at(-1)?.data).toMatchObject({ type: "result", subtype: "interrupted" });
});

test("callers without the key get nothing, and what the daemon refuses has its status and code", async () => {
  const bare = await fetch(`http://127.0.0.1:${backEnd.port}/threads`);
  const wrong = await call("/threads", undefined, { authorization: "Bearer another" });
  expect([bare.status, wrong.status]).toEqual([401, 401]);
  const unknown = await call("/threads/no-such-thread/turns/k");
  expect([unknown.status, await unknown.json()]).toEqual([404, { code: "SESSION_NOT_FOUND" }]);
  expect((await send("t:4", "k-5", "")).status).toBe(400);
  expect((await call("/nothing")).status).toBe(404);
});

test("the page's key is in a cookie that no script reads and no other site makes a browser send", async () => {
  const key = encodeURIComponent(KEY);
  const response = await fetch(`http://127.0.0.1:${backEnd.port}/?key=${key}`, { redirect: "manual" });
  expect(response.status).toBe(303);
  expect(response.headers.get("set-cookie")).toBe(`key=${key}; HttpOnly; SameSite=Strict; Path=/`);
  const headers = { cookie: `other=1; key=${key}`, authorization: "" };
  expect((await call("/threads", undefined, headers)).status).toBe(200);
});

test("in the page a person writes, chooses an answer, and reads the agent's", async ({ skip }) => {
  skip(CHROMIUM === undefined, WITHOUT_CHROMIUM);
  const browser = await chromium.launch({ executablePath: CHROMIUM ?? "" });
  try {
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${backEnd.port}/?key=${encodeURIComponent(KEY)}`);
    expect(tab.url()).not.toContain("key");
    expect(await tab.evaluate("document.cookie")).toBe("");
    await tab.fill("input", "ask Which colour? red | blue");
    await tab.keyboard.press("Enter");
    await tab.locator("#choices button", { hasText: "blue" }).click();
    await tab.locator("#log", { hasText: "You chose blue." }).waitFor();
    expect(await tab.locator("#choices button").count()).toBe(0);
  } finally {
    await browser.close();
  }
});

function requestIdOf(event: SentEvent | undefined): string {
  return String(Object(event?.data).requestId);
}

/** Answers a request with its first choice. */
function answer(event: SentEvent | undefined): Promise<Response> {
  const [first] = Object(event?.data).choices as { answer: unknown }[];
  return call(`/requests/${requestIdOf(event)}`, { answer: first?.answer });
}
