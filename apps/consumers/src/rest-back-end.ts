/** A REST back end with a page. It keeps nothing: a thread is a session, an event's id is its position in the daemon. */
import { timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connectDaemon, DaemonError, type FollowedEvent, presentRequest, type RequestChoice } from "@daemon-sdk/client";

const { KEY = "", WORKSPACE = ".", PORT = "3000" } = process.env;
const page = readFileSync(new URL("../pages/rest.html", import.meta.url));
const MAX_BODY_BYTES = 1024 * 1024;

// #region sample
const connection = await connectDaemon(); // One for all requests. Sessions and their turns do not depend on it.

/** The routes, by method and path; a part in parentheses is an argument. */
const routes: readonly [RegExp, (exchange: Exchange, id: string, turnId: string) => Promise<void>][] = [
  [/^GET \/threads$/, async ({ json }) => json(200, await connection.listAvailableSessions({ limit: 50 }))],
  [
    // The thread is made by its first message. The same key again is the same message.
    /^POST \/threads\/([\w.:-]+)\/messages$/,
    async ({ request, body, json }, id) => {
      const { text } = (await body()) as { text: string };
      const key = request.headers["idempotency-key"];
      const create = { cwd: WORKSPACE, sessionSource: { platform: "rest" } };
      json(202, await connection.send(id, text, { create, ...(typeof key === "string" && { messageId: key }) }));
    },
  ],
  [
    // Server-sent events of one message's turn. A browser that reconnects sends the id of the last one, to whichever process.
    /^GET \/threads\/([\w.:-]+)\/turns\/([\w.:-]+)$/,
    async ({ request, response, gone }, id, turnId) => {
      const after = positionOf(String(request.headers["last-event-id"] ?? ""));
      const events = connection.follow(id, { turnId, after, includePartialMessages: true, signal: gone });
      await events.begin; // Rejects for a thread that does not exist, before the response has begun.
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      for await (const event of events) {
        const { position, ...data } = shown(event);
        const text = `id: ${idOf(position)}\ndata: ${JSON.stringify(data)}\n\n`;
        // Only as fast as the browser reads: what it has not read stays in the daemon.
        if (!response.write(text)) await once(response, "drain", { signal: gone }).catch(() => {});
      }
      response.end();
    },
  ],
  [
    /^POST \/requests\/([\w.:-]+)$/,
    async ({ body, json }, id) => {
      await connection.answerRequest(id, ((await body()) as RequestChoice).answer);
      json(204);
    },
  ],
  [
    /^POST \/threads\/([\w.:-]+)\/turns\/([\w.:-]+)\/interrupt$/,
    async ({ json }, id, messageId) => json(204, void (await connection.interruptSession(id, { messageId }))),
  ],
];

const STATUS: Readonly<Record<string, number>> = {
  INVALID_OPTION: 400,
  INVALID_PARAMS: 400,
  SESSION_NOT_FOUND: 404,
  REQUEST_NOT_PENDING: 409,
  QUEUE_FULL: 429,
};

/** The code says what to do, and the text is for the log: it may name paths of this machine. */
function fail({ json }: Exchange, error: unknown): void {
  if (!DaemonError.is(error)) throw error;
  json(STATUS[error.code] ?? (error.retryable ? 503 : 500), { code: error.code });
}

/** What the page needs of an event: of a request what to show, of a result not the messages, which came before. */
function shown(event: FollowedEvent) {
  const { position, type } = event;
  if (type === "request_opened") return { position, type, requestId: event.requestId, ...presentRequest(event) };
  return type === "result" ? { position, type, text: event.text, subtype: event.subtype } : event;
}

/** A position as the id of an event, and back. */
const idOf = ({ epoch, seq, part }: FollowedEvent["position"]) => [epoch, seq, part].filter(Number.isInteger).join(".");

function positionOf(id: string): FollowedEvent["position"] | undefined {
  if (!/^\d+\.\d+(\.\d+)?$/.test(id)) return undefined;
  const [epoch = 0, seq = 0, part] = id.split(".").map(Number);
  return { epoch, seq, ...(part !== undefined && { part }) };
}
// #endregion sample

/** One request and its response. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Aborted when the caller has gone. */
  readonly gone: AbortSignal;
  body(): Promise<unknown>;
  json(status: number, body?: object): void;
}

function exchangeOf(request: IncomingMessage, response: ServerResponse): Exchange {
  const closed = new AbortController();
  response.once("close", () => closed.abort());
  return {
    request,
    response,
    gone: closed.signal,
    async body() {
      let text = "";
      for await (const chunk of request.setEncoding("utf8")) {
        text += chunk;
        if (text.length > MAX_BODY_BYTES) throw new DaemonError("MESSAGE_TOO_LARGE", "The body is too long.");
      }
      return JSON.parse(text);
    },
    json(status, body) {
      response.writeHead(status, { "content-type": "application/json" }).end(body && JSON.stringify(body));
    },
  };
}

/** The key is in a header, or in the cookie of the page, which no other site can make a browser send. */
function isKnown({ headers: { authorization = "", cookie = "" } }: IncomingMessage): boolean {
  const bearer = /^Bearer (.+)$/.exec(authorization)?.[1];
  const given = Buffer.from(bearer ?? /(?:^|; )key=([^;]+)/.exec(cookie)?.[1] ?? "");
  const expected = Buffer.from(bearer === undefined ? encodeURIComponent(KEY) : KEY);
  return KEY !== "" && given.length === expected.length && timingSafeEqual(given, expected);
}

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  const exchange = exchangeOf(request, response);
  try {
    if (pathname === "/" && searchParams.has("key")) {
      const key = encodeURIComponent(searchParams.get("key") ?? "");
      const cookie = `key=${key}; HttpOnly; SameSite=Strict; Path=/`;
      return response.writeHead(303, { location: "/", "set-cookie": cookie }).end();
    }
    if (!isKnown(request)) return exchange.json(401, { code: "AUTH_REJECTED" });
    if (pathname === "/") return response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
    for (const [pattern, handle] of routes) {
      const match = pattern.exec(`${request.method} ${pathname}`);
      const [, id = "", turnId = ""] = match ?? [];
      if (match !== null) return await handle(exchange, id, turnId).catch((error: unknown) => fail(exchange, error));
    }
    return exchange.json(404, { code: "METHOD_NOT_FOUND" });
  } catch (error) {
    console.error(error);
    if (response.headersSent) return response.destroy();
    return exchange.json(error instanceof SyntaxError ? 400 : 500, { code: "INTERNAL" });
  }
});
server.listen(Number(PORT), "127.0.0.1", () => console.log(`listening on ${Object(server.address()).port}`));

await connection.closed;
process.exit(1);
