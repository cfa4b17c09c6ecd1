import {
  ConnectionError,
  type ConsoleFleet,
  encodeRequest,
  encodeResult,
  type InboxRequest,
  isRecord,
  memoryTransport,
  silentLogger,
  type Transport,
  type TransportClose,
} from "@daemon-sdk/protocol";
import { dialWebSocket } from "@daemon-sdk/transport-ws";
import { afterEach, expect, test } from "vitest";
import { statusOf, upgradeText } from "../../../../test/support/raw-http.js";
import { Credentials, PERSON, type Principal } from "../../src/access/index.js";
import { createConsole } from "../../src/console/console.js";
import type { FleetForConsole, ShownFleet, ShownMachine } from "../../src/console/index.js";
import { exchange, openDoor } from "../listener/open-door.js";

const KEY: Principal = { keyId: "key-1" };
const closings: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closings.splice(0).reverse()) await close();
});

const machine = (machineId: string, state: "online" | "lost" = "online") => ({
  ...{ machineId, state, labels: { region: "eu" }, agents: ["echo"], working: 1, capacity: 8, version: "1.2.3" },
  ...{ silentMs: 40, instance: "secret-instance", revision: 7, load: 0.125 },
});

/** A fleet of three machines, of which this one is `desk` and one is lost. The far ends of its links are kept. */
class FakeFleet implements ShownFleet {
  readonly links: Transport[] = [];
  readonly signals: AbortSignal[] = [];
  readonly made: object[] = [];
  readonly lists: Record<string, ShownMachine> = {
    desk: listsOf("desk", [500]),
    "eu-1": listsOf("eu-1", [400, 200]),
  };

  machines() {
    return [machine("desk"), machine("eu-1"), machine("eu-2", "lost")];
  }

  async onMachines<Item>(call: (connection: ShownMachine, machineId: string) => Promise<readonly Item[]>) {
    const items: Item[] = [];
    for (const [machineId, lists] of Object.entries(this.lists)) items.push(...(await call(lists, machineId)));
    return { items, missing: [{ machineId: "eu-2", error: gone("eu-2") }] };
  }

  async searchSessions() {
    const hit = (machineId: string) => ({
      sessionId: `${machineId}-400`,
      machineId,
      hits: [{ snippets: ["the words"] }],
    });
    return { items: [hit("desk"), hit("eu-1")], missing: [] };
  }

  async createSession(options: object) {
    this.made.push(options);
    return { sessionId: "placed", detach: async () => void this.made.push({ detached: true }) };
  }

  async machineOf() {
    return "eu-1";
  }

  async dial(machineId: string, signal: AbortSignal): Promise<Transport> {
    this.signals.push(signal);
    if (machineId !== "eu-1") throw gone(machineId);
    const { near, far } = memoryTransport();
    this.links.push(far);
    return near;
  }
}

function gone(machineId: string): ConnectionError {
  return new ConnectionError("MACHINE_GONE", `Machine ${machineId} is not online.`);
}

function question(machineId: string): InboxRequest {
  const sessionId = `${machineId}-400`;
  const params = { sessionId, toolCallId: "call-1", questions: [] };
  return { requestId: `${machineId}-q`, sessionId, createdAt: 3, method: "ask_user", params };
}

function listsOf(machineId: string, times: readonly number[]): ShownMachine {
  const sessions = times.map((updatedAt) => ({ sessionId: `${machineId}-${updatedAt}`, updatedAt, cwd: "/work" }));
  return {
    listAvailableSessions: async () => ({ sessions }),
    listOpenedSessions: async () => [{ sessionId: `${machineId}-200`, activity: "waiting-model" }],
    listRequests: async () => [question(machineId)],
  };
}

async function openedConsole(fleet: ShownFleet | undefined) {
  const door = await openDoor({ port: 0 });
  closings.push(() => door[Symbol.asyncDispose]());
  const credentials = new Credentials({ token: door.token, apiKeys: [] });
  const shown: FleetForConsole | undefined = fleet && { machineId: "desk", open: async () => fleet };
  const made = createConsole({
    ...{ listener: () => door.listener, credentials, logger: silentLogger, authenticateMs: 5_000 },
    fleet: () => shown,
    readFiles: async () => new Map(),
  });
  const { host } = new URL((await made.open(PERSON)).url);
  const call = (path: string, { principal = PERSON, body = {}, headers = {} } = {}) =>
    fetch(`http://${host}/console/${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: {
        authorization: `Bearer ${credentials.tabs.create(principal).credential}`,
        "content-type": "application/json",
        ...headers,
      },
    });
  return { door, host, credentials, call, console: made };
}

/** A page's link to a machine, and what came over it. */
async function openLink(host: string, machineId: string) {
  const { signal } = new AbortController();
  const link = await dialWebSocket(`ws://${host}/console/machines/${machineId}`, { signal });
  closings.push(() => link.terminate());
  const texts: string[] = [];
  const waiting: (() => void)[] = [];
  link.onMessage = (text) => {
    texts.push(text);
    for (const resolve of waiting.splice(0)) resolve();
  };
  const closed = new Promise<TransportClose>((resolve) => {
    link.onClose = resolve;
  });
  const message = async (): Promise<Record<string, unknown>> => {
    while (texts.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    return JSON.parse(texts.shift() ?? "");
  };
  const authenticate = (params: object) =>
    link.send(encodeRequest("daemon.authenticate", "1", { caller: "page", ...params }));
  return { link, message, closed, authenticate };
}

/** What the other machine gets next. */
function received(far: Transport): Promise<Record<string, unknown>> {
  return new Promise((resolve) => {
    far.onMessage = (text) => resolve(JSON.parse(text));
  });
}

test("the lists are those of the other machines, and name who has no part in them", async () => {
  const { call } = await openedConsole(new FakeFleet());
  const answer = await call("fleet");
  const fleet = (await answer.json()) as ConsoleFleet;
  expect(fleet).toMatchObject({ machineId: "desk", missing: [{ machineId: "eu-2", code: "MACHINE_GONE" }] });
  expect(fleet.machines.map(({ machineId, state }) => `${machineId} ${state}`)).toEqual([
    "desk online",
    "eu-1 online",
    "eu-2 lost",
  ]);
  expect(JSON.stringify(fleet)).not.toContain("secret-instance");
  expect(fleet.sessions).toEqual([
    { sessionId: "eu-1-400", machineId: "eu-1", cwd: "/work", updatedAt: 400, activity: "waiting-you", isOpen: true },
    { sessionId: "eu-1-200", machineId: "eu-1", cwd: "/work", updatedAt: 200, activity: "waiting-model", isOpen: true },
  ]);
  expect(fleet.requests.map(({ requestId, machineId }) => [requestId, machineId])).toEqual([["eu-1-q", "eu-1"]]);
});

test("a list ends where a machine has more, and the next page begins there", async () => {
  const fleet = new FakeFleet();
  const asked: unknown[] = [];
  fleet.lists["us-1"] = {
    ...listsOf("us-1", [350]),
    listAvailableSessions: async (page) => {
      asked.push(page.endBefore);
      return { sessions: [{ sessionId: "us-1-350", updatedAt: 350 }], nextCursor: 350 };
    },
  };
  const { call } = await openedConsole(fleet);
  const first = (await (await call("fleet")).json()) as ConsoleFleet;
  expect(first.sessions.map(({ sessionId }) => sessionId)).toEqual(["eu-1-400", "us-1-350"]);
  expect(first.nextCursor).toBe(350);
  await call("fleet", { body: { endBefore: 350 } });
  expect(asked).toEqual([undefined, 350]);
});

test("sessions are searched for and placed by their needs", async () => {
  const fleet = new FakeFleet();
  const { call } = await openedConsole(fleet);
  expect(await (await call("fleet/search", { body: { query: "words" } })).json()).toEqual({
    found: [{ sessionId: "eu-1-400", snippet: "the words" }],
    missing: [],
  });
  const body = { cwd: "/work", agent: "echo", labels: { region: "eu", none: 1 } };
  expect(await (await call("fleet/place", { body })).json()).toEqual({ sessionId: "placed", machineId: "eu-1" });
  expect(fleet.made).toEqual([
    { cwd: "/work", needs: { agent: "echo", labels: { region: "eu" } } },
    { detached: true },
  ]);
});

test("a fleet that cannot be reached is stated, with its code", async () => {
  const fleet = new FakeFleet();
  fleet.onMachines = async () => {
    throw new ConnectionError("CONNECTION_FAILED", "NATS is away.");
  };
  const { call } = await openedConsole(fleet);
  const answer = await call("fleet");
  expect([answer.status, await answer.json()]).toEqual([502, { code: "CONNECTION_FAILED", error: "NATS is away." }]);
});

test("without a fleet there is nothing of it: no list, no link", async () => {
  const { call, host, door } = await openedConsole(undefined);
  expect((await call("fleet")).status).toBe(204);
  const upgrade = upgradeText([["Host", host]], "/console/machines/eu-1");
  expect(statusOf(await exchange({ port: door.port, host: "127.0.0.1" }, upgrade))).toBe(404);
});

test("the tab of a key, a wrong credential and a page of another origin see nothing of the fleet", async () => {
  const { call, host, door } = await openedConsole(new FakeFleet());
  for (const path of ["fleet", "fleet/search", "fleet/place"]) {
    expect((await call(path, { principal: KEY as never })).status, path).toBe(403);
    expect((await call(path, { headers: { authorization: "Bearer wrong" } })).status, path).toBe(401);
    expect((await call(path, { headers: { authorization: "" } })).status, path).toBe(401);
    expect((await call(path, { headers: { origin: "https://evil.example" } })).status, path).toBe(403);
  }
  const open = async (headers: [string, string][], path = "/console/machines/eu-1") =>
    statusOf(await exchange({ port: door.port, host: "127.0.0.1" }, upgradeText(headers, path)));
  expect(
    await open([
      ["Host", host],
      ["Origin", `http://${host}`],
    ]),
  ).toBe(101);
  expect(
    await open([
      ["Host", host],
      ["Origin", "https://evil.example"],
    ]),
  ).toBe(403);
  expect(await open([["Host", "evil.example"]])).toBe(403);
  for (const path of ["/console/machines/", "/console/machines/a.b", "/console/machines/a/b", "/console/ticket"])
    expect(await open([["Host", host]], path), path).toBe(404);
});

test("a link passes messages on both ways, and its ticket stays here", async () => {
  const fleet = new FakeFleet();
  const { host, credentials } = await openedConsole(fleet);
  const { link, message, authenticate, closed } = await openLink(host, "eu-1");
  const { ticket } = credentials.tickets.create(PERSON);
  authenticate({ ticket, metadata: { tracing: {} } });
  await expect.poll(() => fleet.links.length).toBe(1);
  const [far] = fleet.links as [Transport];
  const first = await received(far);
  expect(first).toMatchObject({ id: "1", method: "daemon.authenticate", params: { token: "fleet", caller: "page" } });
  expect(JSON.stringify(first)).not.toContain(ticket);
  far.send(encodeResult("1", { userId: "local" }));
  expect(await message()).toMatchObject({ id: "1", result: { userId: "local" } });
  const next = received(far);
  link.send(encodeRequest("daemon.list_requests", "2", {}));
  expect(await next).toMatchObject({ id: "2" });
  far.close(4408, "SLOW_CONSUMER");
  expect(await closed).toMatchObject({ code: 4408, reason: "SLOW_CONSUMER" });
  // Whoever counts links knows that this one is over.
  await expect.poll(() => fleet.signals.map(({ aborted }) => aborted)).toEqual([true]);
});

test("the end of the page ends the link to the machine, and the end of the daemon ends all", async () => {
  const fleet = new FakeFleet();
  const { host, credentials, console } = await openedConsole(fleet);
  const open = async (count: number) => {
    const page = await openLink(host, "eu-1");
    page.authenticate({ ticket: credentials.tickets.create(PERSON).ticket });
    await expect.poll(() => fleet.links.length).toBe(count);
    const far = fleet.links[count - 1] as Transport;
    await received(far);
    const ended = new Promise<TransportClose>((resolve) => {
      far.onClose = resolve;
    });
    return { ...page, ended };
  };
  const first = await open(1);
  first.link.close();
  expect(await first.ended).toMatchObject({ code: 1000 });
  const second = await open(2);
  console.close();
  expect(await second.closed).toMatchObject({ code: 1001 });
  expect((await second.ended).code).toBe(1001);
});

test.each([
  ["the ticket of a key", (credentials: Credentials) => ({ ticket: credentials.tickets.create(KEY).ticket })],
  ["a wrong ticket", () => ({ ticket: "wrong" })],
  ["the token, which a page does not have", (_: Credentials, token: string) => ({ token })],
  ["nothing", () => ({})],
])("a link with %s is refused, and no machine is dialed", async (_, credentialOf) => {
  const fleet = new FakeFleet();
  const { host, credentials, door } = await openedConsole(fleet);
  const { message, authenticate, closed } = await openLink(host, "eu-1");
  authenticate(credentialOf(credentials, door.token));
  const answer = await message();
  expect(answer).toMatchObject({ id: "1", error: { data: { code: "AUTH_REJECTED" } } });
  expect(await closed).toMatchObject({ code: 4401 });
  expect(fleet.signals).toEqual([]);
});

test("a ticket opens one link", async () => {
  const { host, credentials } = await openedConsole(new FakeFleet());
  const { ticket } = credentials.tickets.create(PERSON);
  const first = await openLink(host, "eu-1");
  first.authenticate({ ticket });
  const second = await openLink(host, "eu-1");
  second.authenticate({ ticket });
  expect(await second.closed).toMatchObject({ code: 4401 });
});

test("another first message than a credential is refused, and none may follow before the answer", async () => {
  const fleet = new FakeFleet();
  fleet.dial = (_, signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const { host, credentials } = await openedConsole(fleet);
  const other = await openLink(host, "eu-1");
  other.link.send(encodeRequest("daemon.list_requests", "1", { ticket: credentials.tickets.create(PERSON).ticket }));
  expect(await other.closed).toMatchObject({ code: 4401 });
  const hasty = await openLink(host, "eu-1");
  hasty.authenticate({ ticket: credentials.tickets.create(PERSON).ticket });
  hasty.link.send(encodeRequest("daemon.list_requests", "2", {}));
  expect(await hasty.closed).toMatchObject({ code: 1002 });
});

test("a page learns why a machine cannot be reached", async () => {
  const { host, credentials } = await openedConsole(new FakeFleet());
  const { message, authenticate, closed } = await openLink(host, "eu-2");
  authenticate({ ticket: credentials.tickets.create(PERSON).ticket });
  const { error } = await message();
  expect(isRecord(error) && error).toMatchObject({
    message: "Machine eu-2 is not online.",
    data: { code: "MACHINE_GONE" },
  });
  expect(await closed).toMatchObject({ code: 1001, reason: "MACHINE_GONE" });
});

test("a page that says nothing is closed when its time is over", async () => {
  const door = await openDoor({ port: 0 });
  closings.push(() => door[Symbol.asyncDispose]());
  const made = createConsole({
    ...{ listener: () => door.listener, logger: silentLogger, authenticateMs: 50 },
    credentials: new Credentials({ token: door.token, apiKeys: [] }),
    fleet: () => ({ machineId: "desk", open: async () => new FakeFleet() }),
    readFiles: async () => new Map(),
  });
  const { closed } = await openLink(new URL((await made.open(PERSON)).url).host, "eu-1");
  expect(await closed).toMatchObject({ code: 4401 });
});
