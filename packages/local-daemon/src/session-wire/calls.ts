import { setMaxListeners } from "node:events";
import {
  DaemonError,
  encodeFailure,
  encodeResult,
  encodeResultText,
  FACTORY_PROTOCOL_VERSION,
  type GetMetricsResult,
  LIMITS,
  METHODS,
  ProtocolError,
  type RequestEnvelope,
  RpcCode,
  traceContextOf,
} from "@daemon-sdk/protocol";
import * as z from "zod/mini";
import type { Tickets } from "../access/index.js";
import { SERVING_LIMITS } from "../limits/index.js";
import { inLoop } from "../loop/index.js";
import type { SessionHost } from "../sessions/index.js";
import type { LargePrompt } from "../turns/index.js";
import type { AttachedClient } from "./attached-client.js";
import {
  AGENT_HANDLERS,
  type Call,
  CONFIGURATION_HANDLERS,
  CONSOLE_HANDLERS,
  type Handler,
  LIFECYCLE_HANDLERS,
  LISTING_HANDLERS,
  METRICS_HANDLERS,
  type OpenConsole,
  PING_HANDLERS,
  RECEIPT_HANDLERS,
  REQUEST_HANDLERS,
  type Reload,
  SETTINGS_HANDLERS,
  TICKET_HANDLERS,
  TURN_HANDLERS,
  WORKSPACE_HANDLERS,
  WrittenResult,
} from "./handlers/index.js";

import { ReachableSessions } from "./reachable-sessions.js";
import { toRpcError } from "./rpc-error.js";
import type { SharedTurns } from "./shared-turns.js";

const HANDLERS: ReadonlyMap<string, Handler> = new Map(
  [
    ...PING_HANDLERS,
    ...LIFECYCLE_HANDLERS,
    ...TURN_HANDLERS,
    ...RECEIPT_HANDLERS,
    ...REQUEST_HANDLERS,
    ...SETTINGS_HANDLERS,
    ...LISTING_HANDLERS,
    ...AGENT_HANDLERS,
    ...TICKET_HANDLERS,
    ...CONFIGURATION_HANDLERS,
    ...METRICS_HANDLERS,
    ...CONSOLE_HANDLERS,
    ...WORKSPACE_HANDLERS,
  ].map((handler) => [handler.name, handler]),
);

/** Methods whose answers grow with what is stored: they take turns. */
const READS: ReadonlySet<string> = new Set(
  [
    METHODS.loadSession,
    METHODS.getSessionMessages,
    METHODS.getTurnEvents,
    METHODS.getSessionEvents,
    METHODS.getReceipts,
    METHODS.listRequests,
    METHODS.listOpenedSessions,
    METHODS.listAvailableSessions,
  ].map(({ name }) => name),
);

/** What all connections share to answer calls. */
export interface CallServices {
  readonly host: SessionHost;
  readonly credentials: { readonly tickets: Tickets };
  readonly turns: Pick<SharedTurns, "calls" | "reads" | "refusals" | "shares">;
  readonly reload: Reload;
  readMetrics(): GetMetricsResult;
  readonly openConsole: OpenConsole;
}

/** A request of an authenticated client, and how long its message was. */
export interface IncomingCall {
  readonly request: RequestEnvelope;
  /** Name of the method, without prefix. */
  readonly name: string;
  /** UTF-16 units of the message. */
  readonly units: number;
  /** Its whole params, of which those of the request are then the outline. */
  readonly large?: LargePrompt | undefined;
}

/** Options of {@link Calls}. */
export interface CallsOptions {
  readonly services: CallServices;
  readonly client: AttachedClient;
  /** Counts calls of methods that do not exist. */
  readonly counters: { unknownMethods: number };
  send(frame: string): void;
  /** Names the connection in the log. */
  who(): object;
}

/** The calls of one client: each is answered once, with its own id. */
export class Calls {
  readonly #options: CallsOptions;
  #open: Set<Promise<void>> | undefined;
  /** Made for the first call that waits. */
  #ending: AbortController | undefined;
  #hasEnded = false;
  /** Calls that wait, before their answers are made. */
  #waiting = 0;

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  /** Answers a call; resolves when it was answered. */
  answer(call: IncomingCall): Promise<void> {
    const { services, client } = this.#options;
    const { keyId } = client.principal;
    // The params of a large prompt are bounded by the turns of large messages.
    const units = call.large === undefined ? call.units : 0;
    try {
      services.turns.calls.enter(keyId, units);
    } catch (error) {
      this.#fail(call, error);
      return Promise.resolve();
    }
    const answering = this.#answer(call);
    this.#open ??= new Set();
    this.#open.add(answering);
    // Never rejects: errors were answered.
    void answering.then(() => {
      services.turns.calls.leave(keyId, units);
      this.#open?.delete(answering);
    });
    return answering;
  }

  /** Answers a call with an error. */
  refuse(call: IncomingCall, error: unknown): void {
    this.#fail(call, error);
  }

  /** Resolves when every call so far was answered. */
  async settled(): Promise<void> {
    this.#abort();
    await Promise.all(this.#open ?? []);
  }

  /** The client's connection has ended. */
  end(): void {
    this.#abort();
    this.#options.services.turns.reads.leave(this.#options.client);
  }

  /** Aborted when the client has gone or logs out: what waits is answered at once. */
  get #ends(): AbortSignal {
    if (this.#ending === undefined) {
      this.#ending = new AbortController();
      // One listener for each call that waits.
      setMaxListeners(0, this.#ending.signal);
      if (this.#hasEnded) this.#ending.abort();
    }
    return this.#ending.signal;
  }

  #abort(): void {
    this.#hasEnded = true;
    this.#ending?.abort();
  }

  async #answer(call: IncomingCall): Promise<void> {
    const { services, client } = this.#options;
    try {
      const handler = this.#handlerOf(call.name);
      const params = checked(handler, call.request.params, call.large);
      if (handler.waitsFor?.(params) === true) await this.#wait(handler, params, call);
      const work = () => this.#run(handler, params, call);
      await (READS.has(handler.name) ? services.turns.reads.take(client, call.units, work) : work());
    } catch (error) {
      this.#fail(call, error);
    }
  }

  async #wait(handler: Handler, params: unknown, incoming: IncomingCall): Promise<void> {
    if (this.#waiting >= SERVING_LIMITS.waitingCalls) throw tooManyWait();
    this.#waiting++;
    try {
      await handler.wait?.(params, this.#call(incoming), this.#ends);
    } finally {
      this.#waiting--;
    }
  }

  async #run(handler: Handler, params: unknown, incoming: IncomingCall): Promise<void> {
    const { services, client, send } = this.#options;
    const { host } = services;
    const call = this.#call(incoming);
    const { requestId } = call;
    const use = `daemon.${handler.name} of ${host.rules.policies.nameOf(client.principal.keyId)}`;
    const { result, after, undo } = await inLoop(use, () => handler.run(params, call));
    const since = performance.now();
    const frame = inLoop(use, () => encodedAnswer(requestId, result));
    const bytes = Buffer.byteLength(frame);
    // Reading and parsing it took as long.
    services.turns.shares.of(client.principal.keyId).owe(2 * (performance.now() - since));
    if (bytes > LIMITS.sessionFrameBytes) {
      undo?.();
      throw answerTooLarge(handler.name, bytes);
    }
    send(frame);
    after?.();
  }

  #call({ request, large, units }: IncomingCall): Call {
    const { services, client } = this.#options;
    const { host, credentials, reload, readMetrics, openConsole } = services;
    const { tickets } = credentials;
    const sessions = new ReachableSessions(host, client);
    const inTurn = <Result>(work: () => Promise<Result>) => this.#inTurn(units, work);
    const shared = { client, tickets, reload, readMetrics, openConsole, sessions, host, inTurn };
    const trace = traceContextOf(request._meta);
    return { requestId: request.id, trace, large, ...shared };
  }

  async #inTurn<Result>(units: number, work: () => Promise<Result>): Promise<Result> {
    const { services, client } = this.#options;
    const done: Result[] = [];
    await services.turns.reads.take(client, units, async () => void done.push(await work()));
    return done[0] as Result;
  }

  #fail({ request, name }: IncomingCall, error: unknown): void {
    const { services, client, send, who } = this.#options;
    const answer = toRpcError(error);
    const fields = () => ({ ...who(), method: name.slice(0, LIMITS.nameChars), request: request.id });
    services.turns.refusals.add({ error, answer, keyId: client.principal.keyId, fields });
    send(encodeFailure(request.id, answer, FACTORY_PROTOCOL_VERSION));
  }

  #handlerOf(name: string): Handler {
    const handler = HANDLERS.get(name);
    if (handler !== undefined) return handler;
    this.#options.counters.unknownMethods++;
    throw new ProtocolError("METHOD_NOT_FOUND", "Method not found", { rpcCode: RpcCode.methodNotFound });
  }
}

function checked(handler: Handler, params: unknown, large?: LargePrompt): unknown {
  const parsed = z.safeParse(handler.params, params);
  if (parsed.success) return parsed.data;
  // An outline has shorter texts than what was sent: the refusal states the number of the whole.
  if (large !== undefined) return checked(handler, JSON.parse(Buffer.concat(large.parts).toString()));
  throw new ProtocolError("INVALID_PARAMS", issueText(handler.name, parsed.error), { rpcCode: RpcCode.invalidParams });
}

/** Names the first field that is wrong and what it should be; never its value, which may be a secret. */
export function issueText(name: string, error: z.core.$ZodError): string {
  const [issue] = error.issues;
  const field = issue === undefined || issue.path.length === 0 ? "params" : `params.${issue.path.join(".")}`;
  return `Invalid params of daemon.${name}: ${field}: ${issue?.message ?? "not as the method wants them"}`;
}

function encodedAnswer(requestId: string, result: object): string {
  return result instanceof WrittenResult
    ? encodeResultText(requestId, result.json, FACTORY_PROTOCOL_VERSION)
    : encodeResult(requestId, result, FACTORY_PROTOCOL_VERSION);
}

function tooManyWait(): DaemonError {
  const text = `${SERVING_LIMITS.waitingCalls} calls of this connection wait already (waitingCalls). Call with a smaller waitMs.`;
  return new DaemonError("QUEUE_FULL", text);
}

function answerTooLarge(name: string, bytes: number): ProtocolError {
  return new ProtocolError(
    "MESSAGE_TOO_LARGE",
    `The answer to daemon.${name} has ${bytes} bytes, a message holds ${LIMITS.sessionFrameBytes}. Ask for less.`,
  );
}
