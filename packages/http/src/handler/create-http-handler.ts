import { DaemonError } from "@daemon-sdk/protocol";
import { Hono } from "hono";
import {
  authorized,
  type BodyPlace,
  BodyRoom,
  checkSource,
  type HttpPrincipal,
  OpenStreams,
  preflight,
  type SourceRules,
  sourceRules,
  withCors,
} from "../access/index.js";
import { type DaemonSource, daemonOf, type ServedDaemon } from "../daemon/index.js";
import { HTTP_LIMITS } from "../limits.js";
import { openApiDocument } from "../openapi/index.js";
import { HttpRefusal, problemResponse } from "../problem/index.js";
import { type Call, ROUTES, type Route, type RouteServices } from "../routes/index.js";
import { Webhooks } from "../webhooks/index.js";
import { checkedBody, checkedQuery } from "./checked-input.js";
import { checkHandlerOptions, type HttpHandlerOptions } from "./options.js";

/** A fetch handler, as `createHttpHandler` makes it. */
export interface HttpHandler {
  /** Answers a request. Never rejects: a failure is an answer. */
  (request: Request): Promise<Response>;
  /** Ends the deliveries of webhooks. The connection stays open: it is the caller's. */
  close(): Promise<void>;
}

/** What the handling of requests needs. */
interface Gateway {
  readonly rules: SourceRules;
  readonly options: HttpHandlerOptions;
  readonly services: RouteServices;
  daemonOf(principal: HttpPrincipal): Promise<ServedDaemon>;
}

/**
 * Makes a fetch handler that serves a daemon, or all machines of a fleet, over HTTP: sessions, messages, events, requests, webhooks, and the OpenAPI document
 * under `/openapi.json`. docs/http.md describes the routes.
 *
 * The handler keeps nothing between requests. What a caller may need later is in the daemon, and webhooks are in their store. So any
 * number of handlers may serve one daemon or fleet, and a restart loses nothing.
 *
 * @param source a connection, a fleet, or a function that returns that of a principal
 */
export function createHttpHandler(source: DaemonSource, options: HttpHandlerOptions): HttpHandler {
  checkHandlerOptions(options);
  const gateway = gatewayOf(source, options);
  const app = new Hono<{ Bindings: Caller }>().basePath(options.basePath ?? "/");
  for (const route of ROUTES) {
    const path = route.path.replace(/\{(\w+)\}/g, ":$1");
    app.on(route.method.toUpperCase(), path, (context) =>
      answer(gateway, route, context.env.principal, {
        request: context.req.raw,
        param: (name) => context.req.param(name) ?? "",
      }),
    );
  }
  const document = openApiDocument(options.basePath);
  app.get("/openapi.json", () => Response.json(document));
  app.notFound(() => problemResponse(new HttpRefusal(404, "METHOD_NOT_FOUND", "No such route. See /openapi.json.")));
  app.onError((error) => problemResponse(error));
  const handle = (request: Request) =>
    guarded(gateway, request, async (principal) => app.fetch(request, { principal }));
  return Object.assign(handle, { close: async () => gateway.services.webhooks?.close() });
}

/** What a route gets of the check before it. */
interface Caller {
  readonly principal: HttpPrincipal;
}

const METHODS = "GET, POST, PATCH, DELETE";

function gatewayOf(source: DaemonSource, options: HttpHandlerOptions): Gateway {
  const { streamsPerPrincipal = HTTP_LIMITS.streamsPerPrincipal, heartbeatMs = HTTP_LIMITS.heartbeatMs } = options;
  const heldBytes = HTTP_LIMITS.bodyOverheadBytes + (options.maxBodyBytes ?? HTTP_LIMITS.bodyBytes);
  const onError = options.onError ?? (() => {});
  const find = daemonOf(source);
  const webhooks =
    options.webhooks === undefined ? undefined : new Webhooks({ ...options.webhooks, daemonOf: find, onError });
  return {
    rules: sourceRules(options),
    options,
    daemonOf: find,
    services: {
      bodies: new BodyRoom({
        perPrincipal: HTTP_LIMITS.bodiesPerPrincipal * heldBytes,
        inAll: HTTP_LIMITS.bodies * heldBytes,
        perBody: HTTP_LIMITS.bodyOverheadBytes,
      }),
      streams: new OpenStreams({ streamsPerPrincipal, streams: HTTP_LIMITS.streams }),
      heartbeatMs,
      webhooks,
      address: (path) => `${options.basePath ?? ""}${path}`,
      onError,
    },
  };
}

/** Checks where a request comes from and whose it is, and answers every failure. */
async function guarded(
  { rules, options, services }: Gateway,
  request: Request,
  serve: (principal: HttpPrincipal) => Promise<Response>,
): Promise<Response> {
  let origin: string | undefined;
  try {
    origin = checkSource(request, rules);
    // Hono would answer HEAD by GET and drop the body, which for a stream of events would never end.
    if (request.method === "HEAD")
      throw new HttpRefusal(405, "METHOD_NOT_FOUND", `Use ${METHODS}.`, { allow: METHODS });
    if (origin !== undefined && request.method === "OPTIONS") return withCors(preflight(), origin);
    return withCors(await serve(await authorized(options.authorize, request)), origin);
  } catch (error) {
    report(error, services);
    return withCors(problemResponse(error), origin);
  }
}

async function answer(
  gateway: Gateway,
  route: Route,
  principal: HttpPrincipal,
  { request, param }: Pick<Call, "request" | "param">,
): Promise<Response> {
  const { options, services } = gateway;
  const { maxBodyBytes: maxBytes = HTTP_LIMITS.bodyBytes } = options;
  let place: BodyPlace | undefined;
  try {
    const query = checkedQuery(route, new URL(request.url));
    place = route.body && services.bodies.open(principal.id);
    const body = place && (await checkedBody(route, request, { maxBytes, place }));
    const daemon = await gateway.daemonOf(principal);
    return await route.handle({ daemon, principal, request, services, param, query, body });
  } catch (error) {
    report(error, services);
    return problemResponse(error);
  } finally {
    place?.end();
  }
}

/** What is no `DaemonError` is a bug, of which the caller gets no text. */
function report(error: unknown, { onError }: RouteServices): void {
  if (!DaemonError.is(error) || error.code === "INTERNAL") onError(error);
}
