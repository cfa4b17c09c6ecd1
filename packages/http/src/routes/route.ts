import type { BodyRoom, HttpPrincipal, OpenStreams } from "../access/index.js";
import type { ServedDaemon } from "../daemon/index.js";
import type { Schema } from "../schemas/index.js";
import type { Webhooks } from "../webhooks/index.js";

/** What every route may use. */
export interface RouteServices {
  readonly streams: OpenStreams;
  readonly bodies: BodyRoom;
  readonly heartbeatMs: number;
  readonly webhooks: Webhooks | undefined;
  /** The address of a path of the gateway, for `Location`. */
  address(path: string): string;
  onError(error: unknown): void;
}

/** One request, authorised and checked. */
export interface Call<Query = unknown, Body = unknown> {
  readonly daemon: ServedDaemon;
  readonly principal: HttpPrincipal;
  readonly request: Request;
  readonly services: RouteServices;
  /** A part of the path. */
  param(name: string): string;
  readonly query: Query;
  readonly body: Body;
}

/** One answer of a route, for the OpenAPI document. */
export interface RouteAnswer {
  readonly description: string;
  readonly schema?: Schema;
  /** Default `application/json`. */
  readonly mediaType?: string;
}

/** What is the same for every route. */
interface RouteFacts {
  readonly method: "get" | "post" | "patch" | "delete";
  /** As OpenAPI writes it: `/sessions/{sessionId}`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  /** Headers of the request that have a meaning, with what they mean. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly answers: Readonly<Record<number, RouteAnswer>>;
}

/** One route: what the OpenAPI document states of it, and what it does. */
export interface Route extends RouteFacts {
  /** Fields of the query, by name. */
  readonly query: Readonly<Record<string, Schema>>;
  readonly body: Schema | undefined;
  handle(call: Call): Promise<Response>;
}

type Fields<Query> = { readonly [Name in keyof Query]-?: Schema<Query[Name]> };

/** Makes a route whose handler gets the types of its schemas. */
export function route<Query extends object = Record<never, never>, Body = undefined>(
  facts: RouteFacts & {
    readonly query?: Fields<Query>;
    readonly body?: Schema<Body>;
    handle(call: Call<Query, Body>): Promise<Response>;
  },
): Route {
  const { handle, query = {}, body, ...rest } = facts;
  // The values are those that the schemas let through.
  return { ...rest, query, body, handle: (call) => handle(call as Call<Query, Body>) };
}

/** A route that only reads, and answers with the JSON of what `read` resolves with. */
export function reading<Query extends object = Record<never, never>>(
  facts: Omit<RouteFacts, "method" | "answers"> & {
    readonly query?: Fields<Query>;
    readonly answer: RouteAnswer;
    read(call: Call<Query>): Promise<unknown>;
  },
): Route {
  const { answer, read, ...rest } = facts;
  return route<Query>({
    ...rest,
    method: "get",
    answers: { 200: answer },
    handle: async (call) => json(await read(call)),
  });
}

/** A route that acts, and answers without a body. */
export function acting<Query extends object = Record<never, never>>(
  facts: Omit<RouteFacts, "answers"> & {
    readonly query?: Fields<Query>;
    readonly body?: Schema;
    /** What a 204 says. */
    readonly outcome: string;
    act(call: Call<Query>): Promise<unknown>;
  },
): Route {
  const { outcome, act, ...rest } = facts;
  return route<Query, unknown>({
    ...rest,
    answers: { 204: { description: outcome } },
    async handle(call) {
      await act(call);
      return new Response(null, { status: 204 });
    },
  });
}

/** An answer with a JSON body. */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
  });
}
