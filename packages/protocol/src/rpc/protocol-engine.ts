import { type Logger, newId, silentLogger, UTF8_BYTES_PER_UNIT, utf8Bytes } from "../base/index.js";
import { ConnectionError, type DaemonError, ProtocolError } from "../errors.js";
import { CLIENT_LIMITS } from "../limits/index.js";
import type { Transport, TransportClose } from "../link/index.js";
import {
  type Decoded,
  type DecodeFailure,
  decodeFrame,
  encodeFailure,
  encodeNotification,
  encodeRequest,
  encodeResult,
  isFailure,
  type Method,
  type MethodPrefix,
  type NotificationEnvelope,
  type ParamsOf,
  type RequestEnvelope,
  type ResponseEnvelope,
  type ResultOf,
  RpcCode,
  type TraceContext,
} from "../session/index.js";
import { type InboundNotification, type InboundRequest, NO_ANSWER } from "./inbound.js";
import { closedError, lostError } from "./link-errors.js";
import { PendingRequests } from "./pending-requests.js";
import { errorOfResponse, RpcFault } from "./rpc-errors.js";
import { ServerRequests } from "./server-requests.js";

// Facts of the wire: docs/wire/session.md#protocol-engine

/** Options of one call. */
export interface CallOptions {
  /** Stops waiting: the call rejects with the signal's reason. The peer is not notified and may still act. */
  readonly signal?: AbortSignal;
  /** Overrides the time-out of the method; 0 means none. */
  readonly timeoutMs?: number;
  /** Called in the tick in which the response is read, before any later frame. If it throws, the call rejects with that error. */
  readonly onResult?: (result: unknown) => void;
  /** Id of the request; default a new UUID v4. */
  readonly id?: string;
  /** The trace that the call belongs to; sent in the `_meta` of its envelope. */
  readonly trace?: TraceContext;
}

/** Options of a {@link ProtocolEngine}. */
export interface ProtocolEngineOptions {
  /** `daemon` on sockets, `droid` on an agent's stdio. Either prefix is removed from inbound methods. */
  readonly prefix: MethodPrefix;
  readonly logger?: Logger;
  /** Version to send in every frame. Default: the version that the peer sent first; none before that. */
  readonly protocolVersion?: string;
  /** Reads a frame, with the results of {@link decodeFrame}, which is the default: for a peer whose frames can be read faster. */
  readonly decode?: (text: string) => Decoded;
}

/**
 * Requests and responses over any {@link Transport}, in both directions.
 *
 * - A call settles exactly once: with its result, the peer's error, its time-out, its signal, or the end of the link.
 * - A request of the peer is answered at most once, by the handler or by `respond`.
 * - Frames are handled in order; a handler that throws stops neither the engine nor later frames.
 * - Bad frames and responses to no pending call are counted and logged, never thrown.
 *
 * Set the `on…` properties in the tick in which the engine is made: nothing is delivered before that tick ends.
 */
export class ProtocolEngine {
  /** Called with each notification, in order. */
  onNotification: ((notification: InboundNotification) => void) | undefined;
  /** Answers requests of the peer: returns a result or {@link NO_ANSWER}, or throws {@link RpcFault}. Unset: -32601. */
  onRequest: ((request: InboundRequest) => unknown) | undefined;
  /**
   * Called with each frame that is no envelope, and its text. When it is set, the engine sends no answer to such a frame: on an
   * agent's wire the answer is -32700 with a null id, which this callback sends.
   */
  onBadFrame: ((failure: DecodeFailure, frame: string) => void) | undefined;
  /** Called with each response to no pending call, such as the second one for an id. */
  onStrayResponse: ((response: ResponseEnvelope) => void) | undefined;
  /** Called with each request that was dropped because a request of its id is being handled or was answered. */
  onRepeatedRequest: ((request: InboundRequest) => void) | undefined;
  /** Called once, after every pending call was rejected. Later calls reject with `error`. */
  onClose: ((error: ConnectionError, event: TransportClose) => void) | undefined;
  /**
   * Largest message that the peer accepts, in bytes of UTF-8. A larger call rejects with MESSAGE_TOO_LARGE and a larger answer
   * throws it. Nothing is sent, because the peer would close the link with all other calls on it. Default: no bound.
   */
  maxMessageBytes = Number.POSITIVE_INFINITY;
  /** `frames` counts all messages; the others are subsets: no envelope, a response to no pending call, an unknown method. */
  readonly counters = { frames: 0, badFrames: 0, strayResponses: 0, unknownMethods: 0 };

  readonly #transport: Transport;
  readonly #options: ProtocolEngineOptions;
  readonly #logger: Logger;
  readonly #decode: (text: string) => Decoded;
  readonly #pending = new PendingRequests();
  readonly #serverRequests = new ServerRequests();
  #peerProtocolVersion: string | undefined;
  /** Set once, when the engine is closed or the link ends; later calls reject with it. */
  #end: ConnectionError | undefined;

  constructor(transport: Transport, options: ProtocolEngineOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#decode = options.decode ?? decodeFrame;
    transport.onMessage = this.#receive;
    transport.onClose = (event) => this.#ended(event);
  }

  /** Version the peer stated first; undefined until then. */
  get peerProtocolVersion(): string | undefined {
    return this.#peerProtocolVersion;
  }

  /** Calls a method of the table, with its time-out. The result is as the peer sent it: check it where trust begins. */
  request<M extends Method<object, unknown>>(
    method: M,
    params: ParamsOf<M>,
    options: CallOptions = {},
  ): Promise<ResultOf<M>> {
    const call = this.#call(method.name, params as object, options.timeoutMs ?? method.timeoutMs, options);
    return call as Promise<ResultOf<M>>;
  }

  /** Calls any method by its wire name, without the prefix. */
  requestNamed(name: string, params: Record<string, unknown>, options: CallOptions = {}): Promise<unknown> {
    return this.#call(name, params, options.timeoutMs ?? CLIENT_LIMITS.requestTimeoutMs, options);
  }

  /**
   * Answers a request of the peer: one whose handler returned {@link NO_ANSWER}, or one listed by `load_session`, whichever
   * connection it was sent on. False when this engine answered it already, or has ended.
   */
  respond(id: string, result: unknown): boolean {
    if (this.#end !== undefined) return false;
    const text = encodeResult(id, result, this.#statedVersion());
    refuseOversized("The answer", text, this.maxMessageBytes);
    if (!this.#serverRequests.answer(id)) return false;
    this.#transport.send(text);
    return true;
  }

  /**
   * As {@link respond}, with an error: for a request that got {@link NO_ANSWER}, and that cannot be acted on.
   *
   * @param fault an {@link RpcFault}, or what one is made of where many requests are refused: an error object is expensive
   */
  refuse(id: string, fault: Pick<RpcFault, "rpcCode" | "message"> & { readonly data?: unknown }): boolean {
    if (this.#end !== undefined || !this.#serverRequests.answer(id)) return false;
    this.#sendFailure(id, fault);
    return true;
  }

  /** Stops waiting for a call, which rejects with `reason`. False when no call of that id waits. */
  abandon(id: string, reason: Error): boolean {
    return this.#pending.reject(id, reason);
  }

  /** Sends a notification, by its wire name without the prefix. False when the engine has ended. */
  notify(name: string, params: object): boolean {
    if (this.#end !== undefined) return false;
    this.#transport.send(encodeNotification(`${this.#options.prefix}.${name}`, params, this.#statedVersion()));
    return true;
  }

  /** Rejects every pending call (default CONNECTION_CLOSED) and closes the transport politely. Later calls reject, too. */
  close(reason?: DaemonError): void {
    if (this.#end !== undefined) return;
    this.#end = closedError(reason);
    this.#pending.rejectAll(reason ?? this.#end);
    this.#transport.close();
  }

  #statedVersion(): string | undefined {
    return this.#options.protocolVersion ?? this.#peerProtocolVersion;
  }

  async #call(name: string, params: object, timeoutMs: number, options: CallOptions): Promise<unknown> {
    if (this.#end !== undefined) throw this.#end;
    const id = options.id ?? newId();
    const method = `${this.#options.prefix}.${name}`;
    const text = encodeRequest(method, id, params, this.#statedVersion(), options.trace);
    refuseOversized(`Request ${method}`, text, this.maxMessageBytes);
    const { signal, onResult } = options;
    const waits = this.#pending.has(id);
    const answer = this.#pending.add({ id, method, params, timeoutMs, signal, onResult });
    if (!waits && this.#pending.has(id)) this.#sendRequest(id, text);
    return answer;
  }

  /** Sends a call. A third party's transport may throw, although it must not: then the call fails at once. */
  #sendRequest(id: string, text: string): void {
    try {
      this.#transport.send(text);
    } catch (cause) {
      this.#pending.reject(id, new ConnectionError("CONNECTION_LOST", "The transport could not send.", { cause }));
    }
  }

  readonly #receive = (text: string): void => {
    if (this.#end !== undefined) return;
    this.counters.frames += 1;
    const decoded = this.#decode(text);
    if (!decoded.ok) {
      this.#refuse(decoded, text);
      return;
    }
    const { envelope } = decoded;
    this.#peerProtocolVersion ??= envelope.factoryProtocolVersion;
    switch (envelope.type) {
      case "notification":
        this.#notify(envelope, text);
        break;
      case "response":
        this.#settle(envelope);
        break;
      case "request":
        void this.#handle(envelope);
        break;
    }
  };

  #notify({ method: name, params, _meta: meta }: NotificationEnvelope, frame: string): void {
    const method = withoutPrefix(name);
    try {
      this.onNotification?.({ method, params, meta, frame });
    } catch (error) {
      this.#logger.error({ method, error }, "A notification handler threw");
    }
  }

  /** Runs an observer. An exception from it must not stop later frames. */
  #told(observe: () => void): void {
    try {
      observe();
    } catch (error) {
      this.#logger.error({ error }, "An observer of dropped frames threw");
    }
  }

  #settle(response: ResponseEnvelope): void {
    const call = response.id === null ? undefined : this.#pending.get(response.id);
    if (call === undefined) {
      this.counters.strayResponses++;
      const rpcCode = isFailure(response) ? response.error.code : undefined;
      this.#logger.warn({ id: response.id, rpcCode }, "A stray response was dropped");
      this.#told(() => this.onStrayResponse?.(response));
    } else if (isFailure(response)) {
      this.#pending.reject(call.id, errorOfResponse(call, response.error));
    } else {
      this.#pending.resolve(call.id, response.result);
    }
  }

  /** Handles a frame that is no envelope. A pending call of its id rejects without waiting for the time-out; a request is answered. */
  #refuse(failure: DecodeFailure, frame: string): void {
    this.counters.badFrames++;
    const { id, type, rpcCode, message } = failure;
    this.#logger.warn({ id, type, rpcCode }, `A bad frame was dropped: ${message}`);
    this.#told(() => this.onBadFrame?.(failure, frame));
    if (id === null || type === "notification") return;
    if (type !== "response") {
      if (this.onBadFrame !== undefined) return;
      this.#sendFailure(id, failure);
      return;
    }
    const method = this.#pending.get(id)?.method;
    const text = `The response to ${method} is not a valid envelope (${message}).`;
    this.#pending.reject(id, new ProtocolError("PROTOCOL_VIOLATION", text));
  }

  async #handle(envelope: RequestEnvelope): Promise<void> {
    const { id, params, _meta: meta } = envelope;
    const method = withoutPrefix(envelope.method);
    const request = { id, method, params, meta };
    if (!this.#serverRequests.begin(id)) {
      this.#told(() => this.onRepeatedRequest?.(request));
      // An entry whose early copy was received is received again at its place (docs/protocol.md, "Credit").
      if (meta?.seq !== undefined) return;
      this.counters.badFrames++;
      this.#logger.warn({ id, method }, "A repeated request was dropped");
      return;
    }
    try {
      if (this.onRequest === undefined) throw new RpcFault(RpcCode.methodNotFound, "Method not found");
      const result = await this.onRequest(request);
      if (result === NO_ANSWER) this.#serverRequests.leave(id);
      else this.respond(id, result);
    } catch (error) {
      this.#handlerFailed(id, method, error);
    }
  }

  #handlerFailed(id: string, method: string, error: unknown): void {
    if (this.#end !== undefined || !this.#serverRequests.answer(id)) return;
    if (RpcFault.is(error)) {
      if (error.rpcCode === RpcCode.methodNotFound) this.counters.unknownMethods++;
      this.#logger.debug({ id, method, rpcCode: error.rpcCode }, "A request was refused");
      this.#sendFailure(id, error);
      return;
    }
    this.#logger.error({ id, method, error }, "A request handler failed");
    this.#sendFailure(id, { rpcCode: RpcCode.internalError, message: `Failed to handle ${method}` });
  }

  #sendFailure(id: string, { rpcCode: code, message, data }: Refusal): void {
    try {
      this.#transport.send(encodeFailure(id, { code, message, data }, this.#statedVersion()));
    } catch (cause) {
      this.#logger.error({ id, error: cause }, "An error response could not be sent");
    }
  }

  #ended(event: TransportClose): void {
    this.#end ??= lostError(event);
    this.#pending.rejectAll(this.#end);
    this.#serverRequests.clear();
    this.onClose?.(this.#end, event);
  }
}

/** What an error response is made of. */
interface Refusal {
  readonly rpcCode: number;
  readonly message: string;
  readonly data?: unknown;
}

function refuseOversized(what: string, text: string, maxBytes: number): void {
  if (text.length * UTF8_BYTES_PER_UNIT <= maxBytes) return;
  const bytes = utf8Bytes(text);
  if (bytes <= maxBytes) return;
  const message = `${what} has ${bytes} bytes, and the peer takes ${maxBytes}. Nothing was sent. Send less at once.`;
  throw new ProtocolError("MESSAGE_TOO_LARGE", message);
}

function withoutPrefix(method: string): string {
  // Nearly every frame of a stream has this method; the comparison costs a fifth of the slice.
  if (method === "daemon.session_notification") return "session_notification";
  if (method.startsWith("daemon.")) return method.slice("daemon.".length);
  return method.startsWith("droid.") ? method.slice("droid.".length) : method;
}
