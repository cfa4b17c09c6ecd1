import { silentLogger } from "@daemon-sdk/protocol";
import { describe, expect, test } from "vitest";
import { statusOf, upgradeText } from "../../../../test/support/raw-http.js";
import { Credentials, PERSON } from "../../src/access/index.js";
import { createConsole } from "../../src/console/console.js";
import type { ConsoleFile } from "../../src/console/console-files.js";
import { exchange, type OpenDoor, openDoor } from "../listener/open-door.js";

const FILES = new Map<string, ConsoleFile>([
  [
    "",
    {
      type: "text/html; charset=utf-8",
      body: Buffer.from("<!doctype html><title>Console</title>"),
      isVersioned: false,
    },
  ],
  ["assets/main-1.js", { type: "text/javascript; charset=utf-8", body: Buffer.from("start();"), isVersioned: true }],
]);

/** A listener whose console was opened once, and what makes further links. */
async function openedConsole(options: { port?: number } = { port: 0 }) {
  const door = await openDoor(options.port === undefined ? { port: undefined } : { port: options.port });
  const credentials = new Credentials({ token: door.token, apiKeys: ["a-configured-key-0"] });
  const made = createConsole({
    listener: () => door.listener,
    credentials,
    logger: silentLogger,
    authenticateMs: 5_000,
    readFiles: async () => FILES,
  });
  const link = async () => new URL((await made.open(PERSON)).url);
  const first = await link();
  const ask = (path: string, init: RequestInit = {}) => fetch(new URL(path, first), init);
  const call = (path: string, { method = "POST", body = "", headers = {} } = {}) =>
    ask(path, {
      method,
      ...(body === "" ? {} : { body }),
      headers: { "content-type": "application/json", ...headers },
    });
  return { door, credentials, first, link, ask, call };
}

const ticketOf = (link: URL) => link.hash.replace("#ticket=", "");
const own = (door: OpenDoor, port: string): [string, string][] => [
  ["Host", `127.0.0.1:${door.port || port}`],
  ["Origin", `http://127.0.0.1:${door.port || port}`],
];

describe("the console's files", () => {
  test("are served with a policy that lets nothing in from elsewhere", async () => {
    const { door, ask } = await openedConsole();
    const page = await ask("/console/");
    expect(await page.text()).toContain("<title>Console</title>");
    expect(page.headers.get("cache-control")).toBe("no-store");
    const policy = page.headers.get("content-security-policy")?.split("; ") ?? [];
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).toContain(`connect-src 'self' ws://127.0.0.1:${door.port} wss://127.0.0.1:${door.port}`);
    expect(policy.join()).not.toMatch(/unsafe|\*/);
    expect(Object.fromEntries(page.headers)).toMatchObject({
      "x-frame-options": "DENY",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-resource-policy": "same-origin",
    });
    const script = await ask("/console/assets/main-1.js");
    expect([await script.text(), script.headers.get("cache-control")]).toEqual([
      "start();",
      "private, max-age=31536000, immutable",
    ]);
    await door[Symbol.asyncDispose]();
  });

  test("are looked up among those of the package, never in the file system", async () => {
    const { door, first } = await openedConsole();
    const get = (path: string) =>
      exchange({ port: door.port, host: "127.0.0.1" }, `GET ${path} HTTP/1.1\r\nHost: ${first.host}\r\n\r\n`);
    for (const path of ["/console/../../etc/passwd", "/console/%2e%2e/package.json", "/console/assets/", "/console/x"])
      expect(statusOf(await get(path)), path).toBe(404);
    expect(statusOf(await get("/console"))).toBe(308);
    await door[Symbol.asyncDispose]();
  });
});

describe("the console's link", () => {
  test("works once: its ticket becomes the credential of a tab, which makes a ticket for each connection", async () => {
    const { door, call, first, credentials } = await openedConsole();
    const body = JSON.stringify({ ticket: ticketOf(first) });
    const answer = await call("/console/tab", { body });
    const { credential } = (await answer.json()) as { credential: string };
    expect(credential).toMatch(/^[\w-]{43}$/);
    expect((await call("/console/tab", { body })).status).toBe(401);
    const headers = { authorization: `Bearer ${credential}` };
    for (let connection = 0; connection < 2; connection++) {
      const { ticket } = (await (await call("/console/ticket", { headers })).json()) as { ticket: string };
      expect(credentials.identify({ caller: "page", ticket }, () => false)).toEqual(PERSON);
    }
    // It is no credential of the wire.
    for (const field of ["ticket", "token", "apiKey"])
      expect(credentials.identify({ caller: "page", [field]: credential }, () => false)).toBeUndefined();
    expect((await call("/console/tab", { method: "DELETE", headers })).status).toBe(204);
    expect((await call("/console/ticket", { headers })).status).toBe(401);
    await door[Symbol.asyncDispose]();
  });

  test("leads to a port that is opened for it, where the daemon listens on none", async () => {
    const { door, ask, first, link } = await openedConsole({});
    expect(Number(first.port)).toBeGreaterThan(0);
    expect(door.listener.port).toBe(Number(first.port));
    expect((await link()).host).toBe(first.host);
    expect((await ask("/console/")).status).toBe(200);
    await door[Symbol.asyncDispose]();
    await expect(fetch(first)).rejects.toThrow();
  });
});

describe("a page", () => {
  test("that the daemon served opens the session wire, and nothing else of the daemon", async () => {
    const { door, first } = await openedConsole();
    const open = async (path: string) =>
      statusOf(await exchange({ port: door.port, host: "127.0.0.1" }, upgradeText(own(door, first.port), path)));
    expect(await open("/")).toBe(101);
    expect(await open("/relay")).toBe(403);
    expect(await open("/acp")).toBe(403);
    await door[Symbol.asyncDispose]();
  });

  test("of another origin makes no call, even with a link that it knows", async () => {
    const { door, call, ask, first } = await openedConsole();
    const body = JSON.stringify({ ticket: ticketOf(first) });
    const refused = [
      await call("/console/tab", { body, headers: { origin: "https://evil.example" } }),
      await call("/console/tab", { body, headers: { "sec-fetch-site": "cross-site" } }),
      await ask("/console/tab", { method: "POST", body, headers: { "content-type": "text/plain" } }),
    ];
    expect(refused.map(({ status }) => status)).toEqual([403, 403, 403]);
    expect((await call("/console/tab", { body })).status).toBe(200);
    await door[Symbol.asyncDispose]();
  });

  test("that sends more than a ticket, or none, is refused like one with a wrong ticket", async () => {
    const { door, call } = await openedConsole();
    for (const body of ["{", "[]", '{"ticket":1}', JSON.stringify({ ticket: "x".repeat(2_000) }), '{"ticket":"wrong"}'])
      expect((await call("/console/tab", { body })).status, body.slice(0, 20)).toBe(401);
    await door[Symbol.asyncDispose]();
  });
});

test("before the first link there is no console, and its origin is a stranger's", async () => {
  await using door = await openDoor();
  const get = await exchange(
    { port: door.port, host: "127.0.0.1" },
    `GET /console/ HTTP/1.1\r\nHost: 127.0.0.1:${door.port}\r\n\r\n`,
  );
  expect(statusOf(get)).toBe(404);
  const upgrade = upgradeText(own(door, ""));
  expect(statusOf(await exchange({ port: door.port, host: "127.0.0.1" }, upgrade))).toBe(403);
});
