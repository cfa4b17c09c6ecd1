import { describe, expect, test } from "vitest";
import { createHttpHandler, type HttpHandlerOptions, type HttpPrincipal } from "../src/index.js";
import { BASE, byName, openGateway, requestOf } from "./support/gateway.js";
import { EventParser } from "./support/read-events.js";

async function problemOf(response: Response) {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const problem = (await response.json()) as Record<string, unknown>;
  expect(problem).toMatchObject({ status: response.status, type: `urn:daemon-sdk:error:${problem.code}` });
  return `${problem.status} ${problem.code}`;
}

describe("who is let in", () => {
  test("there is no default: without authorize no handler is made", async () => {
    await using gateway = await openGateway();
    const make = () => createHttpHandler(gateway.connection, {} as HttpHandlerOptions);
    expect(make).toThrow(expect.objectContaining({ code: "INVALID_OPTION", option: "authorize" }));
  });

  test.each([
    ["401", 401, "401 AUTH_MISSING"],
    ["403", 403, "403 NOT_ALLOWED"],
    ["nothing", undefined, "500 INTERNAL"],
    ["true", true, "500 INTERNAL"],
    ["a principal without an id", { id: "" }, "500 INTERNAL"],
  ])("authorize that resolves with %s lets nobody in, whatever the route", async (_what, result, expected) => {
    await using gateway = await openGateway({ authorize: (async () => result) as never });
    for (const path of ["/sessions", "/openapi.json", "/no-such-route", "/sessions/1/events"])
      expect(await problemOf(await gateway.call("GET", path))).toBe(expected);
    expect(gateway.daemon.received.calls("list_available_sessions")).toEqual([]);
  });

  test("authorize that throws lets nobody in, and its text is not sent", async () => {
    const errors: unknown[] = [];
    const authorize = () => {
      throw new TypeError("database password hunter2");
    };
    await using gateway = await openGateway({ authorize, onError: (error) => errors.push(error) });
    const response = await gateway.call("GET", "/sessions");
    const text = await response.clone().text();
    expect(await problemOf(response)).toBe("500 INTERNAL");
    expect(text).not.toContain("hunter2");
    expect(errors).toHaveLength(1);
  });

  test("each principal reaches the daemon through the connection that is its own", async () => {
    await using one = await openGateway();
    await using other = await openGateway();
    const { id } = one.daemon.addSession();
    const connections = new Map([
      ["one", one.connection],
      ["other", other.connection],
    ]);
    const source = ({ id }: HttpPrincipal) => connections.get(id) ?? one.connection;
    const handler = createHttpHandler(source, { authorize: byName });
    const get = (name: string) =>
      handler(requestOf("GET", `/sessions/${id}`, undefined, { authorization: `Bearer ${name}` }));
    expect((await get("one")).status).toBe(200);
    expect(await problemOf(await get("other"))).toBe("404 SESSION_NOT_FOUND");
  });
});

describe("where a request comes from", () => {
  const hosts = ["127.0.0.1", "localhost:9", "[::1]:9", "agents.example.com"];

  test.each(hosts)("the host %s is served", async (host) => {
    await using gateway = await openGateway({ allowedHosts: ["agents.example.com"] });
    const request = new Request(`http://${host}/sessions`, { headers: { authorization: "Bearer good" } });
    expect((await gateway.handler(request)).status).toBe(200);
  });

  test.each(["evil.example", "127.0.0.1.evil.example", "agents.example.com.evil.example", "evil.example:80"])(
    "the host %s is refused before the caller is authenticated",
    async (host) => {
      let asked = 0;
      const authorize = () => {
        asked++;
        return { id: "anybody" };
      };
      await using gateway = await openGateway({ authorize, allowedHosts: ["agents.example.com"] });
      expect(await problemOf(await gateway.handler(new Request(`http://${host}/sessions`)))).toBe("403 NOT_ALLOWED");
      const smuggled = requestOf("GET", "/sessions", undefined, { host });
      expect(await problemOf(await gateway.handler(smuggled))).toBe("403 NOT_ALLOWED");
      expect(asked).toBe(0);
    },
  );

  test("a page of a foreign origin is refused, and no answer has CORS headers", async () => {
    await using gateway = await openGateway();
    for (const method of ["GET", "OPTIONS"]) {
      const response = await gateway.call(method, "/sessions", undefined, { origin: "https://app.example.com" });
      expect(await problemOf(response)).toBe("403 NOT_ALLOWED");
      expect([...response.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
    const own = await gateway.call("GET", "/sessions");
    expect([...own.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  test("a page of an allowed origin may call, its preflight is answered, and no other origin is", async () => {
    await using gateway = await openGateway({ allowedOrigins: ["https://app.example.com"] });
    const preflight = new Request(`${BASE}/sessions`, {
      method: "OPTIONS",
      headers: { origin: "https://app.example.com" },
    });
    const answer = await gateway.handler(preflight);
    expect(answer.status).toBe(204);
    expect(answer.headers.get("access-control-allow-headers")).toContain("Last-Event-ID");
    const called = await gateway.call("GET", "/sessions", undefined, { origin: "https://app.example.com" });
    expect(called.headers.get("access-control-allow-origin")).toBe("https://app.example.com");
    expect(called.headers.get("vary")).toContain("Origin");
    for (const origin of ["https://app.example.com.evil.example", "http://app.example.com", "null"])
      expect(await problemOf(await gateway.call("GET", "/sessions", undefined, { origin }))).toBe("403 NOT_ALLOWED");
  });
});

describe("what a request may cost", () => {
  test("a body over its bound is refused, with a length and without one", async () => {
    await using gateway = await openGateway({ maxBodyBytes: 1_000 });
    const text = "x".repeat(2_000);
    expect(await problemOf(await gateway.call("POST", "/sessions", { systemPrompt: text }))).toBe(
      "413 MESSAGE_TOO_LARGE",
    );
    const body = new ReadableStream({ pull: (controller) => controller.enqueue(new TextEncoder().encode(text)) });
    const headers = { authorization: "Bearer good", "content-type": "application/json" };
    const endless = new Request(`${BASE}/sessions`, { method: "POST", headers, body, duplex: "half" } as RequestInit);
    expect(await problemOf(await gateway.handler(endless))).toBe("413 MESSAGE_TOO_LARGE");
  });

  test("bodies of one caller that do not end hold a bounded number of bytes, and nobody else's are refused for it", async () => {
    const maxBodyBytes = 1_000_000;
    const authorize = async (request: Request) => ({ id: request.headers.get("x-caller") ?? "" });
    const errors: unknown[] = [];
    await using gateway = await openGateway({ maxBodyBytes, authorize, onError: (error) => errors.push(error) });
    const abort = new AbortController();
    const slow = (caller: string, chars: number) => {
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode("x".repeat(chars)));
          abort.signal.addEventListener("abort", () => controller.error(new DOMException("cut", "AbortError")));
        },
      });
      const headers = { "x-caller": caller, "content-type": "application/json" };
      const init = { method: "POST", headers, body, duplex: "half" } as RequestInit;
      return gateway.handler(new Request(`${BASE}/sessions`, init));
    };
    const waiting = Array.from({ length: 4 }, () => slow("hostile", 900_000));
    expect(await problemOf(await slow("hostile", 900_000))).toBe("429 QUEUE_FULL");
    const other = gateway.handler(
      new Request(`${BASE}/sessions`, {
        method: "POST",
        headers: { "x-caller": "other", "content-type": "application/json" },
        body: JSON.stringify({ cwdd: "/srv" }),
      }),
    );
    expect(await problemOf(await other)).toBe("400 INVALID_PARAMS");
    abort.abort();
    // Cut by the caller, which is no fault of the gateway.
    for (const cut of waiting) expect(await problemOf(await cut)).toBe("400 INVALID_PARAMS");
    expect(errors).toEqual([]);
    const again = slow("hostile", 2_000_000);
    expect(await problemOf(await again)).toBe("413 MESSAGE_TOO_LARGE");
  });

  test.each([
    ["GET", "/sessions?limit=101", undefined],
    ["GET", "/sessions?limit=0", undefined],
    ["GET", "/sessions?limit=ten", undefined],
    ["GET", "/sessions?limt=10", undefined],
    ["GET", "/sessions?limit=1&limit=2", undefined],
    ["GET", "/search", undefined],
    ["POST", "/sessions", { cwdd: "/srv" }],
    ["POST", "/sessions", { sessionId: "no uuid" }],
    ["POST", "/sessions", "{"],
    ["POST", "/requests/1/answer", { sorry: true }],
  ])("%s %s %j is refused by the name of the field", async (method, path, body) => {
    await using gateway = await openGateway();
    expect(await problemOf(await gateway.call(method, path, body))).toBe("400 INVALID_PARAMS");
  });

  test("a form, which a page can send without being asked, is refused", async () => {
    await using gateway = await openGateway();
    const headers = { "content-type": "text/plain" };
    expect(await problemOf(await gateway.call("POST", "/sessions", "{}", headers))).toBe("415 INVALID_PARAMS");
  });

  test("each principal has so many open streams, and one that ends makes room", async () => {
    await using gateway = await openGateway({ streamsPerPrincipal: 2 });
    const { id } = gateway.daemon.addSession();
    const open = (name: string) =>
      gateway.call("GET", `/sessions/${id}/events`, undefined, { authorization: `Bearer ${name}` });
    const [first] = [await open("one"), await open("one")];
    const third = await open("one");
    expect(third.headers.get("retry-after")).toBe("5");
    expect(await problemOf(third)).toBe("429 QUEUE_FULL");
    expect((await open("two")).status).toBe(200);
    await first?.body?.cancel();
    expect((await open("one")).status).toBe(200);
    expect(await problemOf(await gateway.call("GET", "/sessions/unknown/events"))).toBe("404 SESSION_NOT_FOUND");
  });

  test("HEAD opens no stream, and an unknown route is a problem, too", async () => {
    await using gateway = await openGateway({ streamsPerPrincipal: 1 });
    const { id } = gateway.daemon.addSession();
    for (let time = 0; time < 3; time++)
      expect((await gateway.call("HEAD", `/sessions/${id}/events`)).status).toBe(405);
    expect(await problemOf(await gateway.call("GET", "/nowhere"))).toBe("404 METHOD_NOT_FOUND");
    expect(await problemOf(await gateway.call("GET", "/webhooks"))).toBe("501 METHOD_NOT_FOUND");
  });
});

test("a failure names neither what was sent nor who sent it", async () => {
  await using gateway = await openGateway();
  const secret = "hunter2";
  const authorization = { authorization: `Bearer ${secret}` };
  const answers = [
    await gateway.call(
      "POST",
      "/sessions",
      { sessionId: secret, cwd: 1, mcpServers: [{ name: secret }] },
      authorization,
    ),
    await gateway.call("POST", "/sessions", `{"cwd": "${secret}`, authorization),
    await gateway.call("GET", `/sessions?limit=${secret}`, undefined, authorization),
    await gateway.call("GET", `/sessions/1/events?after=${secret}`, undefined, authorization),
    await gateway.call("POST", "/requests/none/answer", { selectedOption: secret }, authorization),
  ];
  for (const answer of answers) {
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(await answer.text()).not.toContain(secret);
  }
});

test("what the daemon refuses has the status of its code, and a connection that has ended is 503", async () => {
  await using gateway = await openGateway();
  const paths = ["/sessions/none", "/sessions/none/messages", "/sessions/none/receipts/1", "/sessions/none/events"];
  for (const path of paths) expect(await problemOf(await gateway.call("GET", path))).toBe("404 SESSION_NOT_FOUND");
  const prompted = await gateway.call("POST", "/sessions/none/messages", { text: "hello" });
  expect(await problemOf(prompted)).toBe("404 SESSION_NOT_FOUND");
  await gateway.connection.close();
  expect(await problemOf(await gateway.call("GET", "/sessions"))).toBe("503 CONNECTION_CLOSED");
});

test("a silent stream sends comments, and the position of what it left out", async () => {
  await using gateway = await openGateway({ heartbeatMs: 5 });
  const { id } = gateway.daemon.addSession();
  const response = await gateway.call("GET", `/sessions/${id}/events`);
  const parser = new EventParser();
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const begin = await reader.read();
  parser.push(begin.value as Uint8Array);
  const first = parser.lastId;
  gateway.daemon.onPrompt(async (prompt) => {
    prompt.delta("a part");
  });
  await gateway.connection.send(id, "go");
  while (parser.comments < 3 || parser.lastId === first) parser.push((await reader.read()).value as Uint8Array);
  expect(parser.lastId).not.toBe(first);
  await reader.cancel();
});

test("a handler under a path serves that path alone", async () => {
  await using gateway = await openGateway({ basePath: "/api/agents" });
  expect((await gateway.call("GET", "/api/agents/sessions")).status).toBe(200);
  expect((await gateway.call("GET", "/sessions")).status).toBe(404);
  const made = await gateway.call("POST", "/api/agents/sessions", {});
  expect(made.headers.get("location")).toMatch(/^\/api\/agents\/sessions\//);
});
