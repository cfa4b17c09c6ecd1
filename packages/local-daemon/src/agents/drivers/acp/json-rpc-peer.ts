import {
  ConnectionError,
  isRecord,
  type Logger,
  PendingRequests,
  ProtocolError,
  RpcCode,
  type Transport,
} from "@daemon-sdk/protocol";
import { redacted } from "../../../redaction.js";
import type { AgentFault } from "../../agent.js";
import { envelopeHead } from "../envelope-head.js";

/** Longest excerpt of what the agent wrote and what was no frame, in UTF-16 units. */
const EXCERPT_CHARS = 400;

/** A request or notification of the agent. `id` is absent for a notification. */
export interface AcpCall {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** A request of the agent. Its id goes back as it came: a string, a number or null. */
export interface AcpRequest extends AcpCall {
  readonly id: string | number | null;
}

/** Options of {@link JsonRpcPeer}. */
export interface JsonRpcPeerOptions {
  readonly transport: Transport;
  readonly logger: Logger;
  /** Called with each notification, in the order of the lines. */
  onNotification(call: AcpCall): void;
  /** Called with each request, in the order of the lines. Answer it with `respond` or `refuse`. */
  onRequest(request: AcpRequest): void;
  /** Called when the agent sent what could not be read. */
  onFault(fault: AgentFault): void;
  /** Called once when nothing more can be received. */
  onClose(): void;
}

/** Options of one call. */
export interface AcpCallOptions {
  /** How long the answer may take, in ms; 0: without bound, for a prompt. */
  readonly timeoutMs: number;
  /** Called when the answer is read, before any later line is. Not called for an error. */
  readonly onResult?: (result: unknown) => void;
}

/**
 * Plain JSON-RPC 2.0 with an agent, in both directions, in the order of the lines (docs/wire/acp.md#wire).
 *
 * Each side numbers its own requests, so the same id may be in flight in both directions. An answer is matched by the text of
 * its id: an agent may turn the number 0 into the string "0". A line that is no frame is counted and never answered, because an
 * answer would be traffic that the agent did not ask for.
 */
export class JsonRpcPeer {
  /** Lines that were no frame or too long, and answers that no call waits for. */
  readonly counters = { badFrames: 0, strayAnswers: 0 };

  readonly #options: JsonRpcPeerOptions;
  readonly #pending = new PendingRequests();
  #nextId = 0;
  #isClosed = false;
  #isTextReported = false;
  #excerpt = "";

  constructor(options: JsonRpcPeerOptions) {
    this.#options = options;
    options.transport.onMessage = (text) => this.#receive(text);
    options.transport.onClose = () => this.#closed();
  }

  /** The beginning of what the agent wrote and what was no frame, without secrets; may be empty. */
  get excerpt(): string {
    return redacted(this.#excerpt);
  }

  /**
   * Calls a method of the agent. Rejects with a `ProtocolError` that carries the agent's code and `data`, with a `TimeoutError`,
   * or with a `ConnectionError` when the agent ends first.
   */
  call(method: string, params: object, { timeoutMs, onResult }: AcpCallOptions): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(endedError());
    const id = this.#nextId++;
    const answer = this.#pending.add({ id: String(id), method, params, timeoutMs, signal: undefined, onResult });
    this.#send({ id, method, params });
    return answer;
  }

  /** A line was too long, or no UTF-8: whoever waits for it is informed at once. `head` is its beginning. */
  skip({ code, message }: ProtocolError, head: string): void {
    const { id, method } = envelopeHead(head);
    if (method === undefined && id !== undefined) {
      this.#pending.reject(String(id), new ProtocolError(code, message));
      return;
    }
    if (method === undefined) {
      this.#bad(head);
      return;
    }
    this.counters.badFrames++;
    if (id !== undefined) this.refuse(id, RpcCode.invalidRequest, message);
    const known = code === "MESSAGE_TOO_LARGE" ? code : "PROTOCOL_VIOLATION";
    this.#options.onFault({ code: known, message: `${message} It was ${method.slice(0, 100)}.`, isLoss: true });
  }

  notify(method: string, params: object): void {
    if (!this.#isClosed) this.#send({ method, params });
  }

  respond(id: AcpRequest["id"], result: object): void {
    if (!this.#isClosed) this.#send({ id, result });
  }

  refuse(id: AcpRequest["id"], code: number, message: string): void {
    if (!this.#isClosed) this.#send({ id, error: { code, message } });
  }

  #send(frame: object): void {
    this.#options.transport.send(JSON.stringify({ jsonrpc: "2.0", ...frame }));
  }

  #receive(text: string): void {
    const frame = parse(text);
    if (frame === undefined) this.#bad(text);
    else if (typeof frame.method === "string") this.#called(frame, frame.method);
    else if ("id" in frame) this.#answered(frame);
    else this.#bad(text);
  }

  #called(frame: Record<string, unknown>, method: string): void {
    const params = isRecord(frame.params) ? frame.params : {};
    const { id } = frame;
    if (id === undefined) this.#options.onNotification({ method, params });
    else if (typeof id === "string" || typeof id === "number" || id === null) {
      this.#options.onRequest({ id, method, params });
    } else this.refuse(null, RpcCode.invalidRequest, "id must be a string, a number or null");
  }

  #answered({ id, result, error }: Record<string, unknown>): void {
    const call = this.#pending.get(String(id));
    if (call === undefined) {
      this.counters.strayAnswers++;
      this.#options.logger.debug({ id }, "The agent answered a call that does not wait; dropped.");
    } else if (error === undefined || error === null) this.#pending.resolve(call.id, result);
    else this.#pending.reject(call.id, errorOf(call.method, error));
  }

  #bad(text: string): void {
    this.counters.badFrames++;
    this.#options.logger.warn(
      { characters: text.length },
      "The agent wrote a line that is no JSON-RPC frame; skipped.",
    );
    if (this.#excerpt.length < EXCERPT_CHARS) this.#excerpt = `${this.#excerpt}${text}\n`.slice(0, EXCERPT_CHARS);
    if (this.#isTextReported) return;
    this.#isTextReported = true;
    const message = "The agent writes text to stdout that is no message. It is skipped; it belongs on stderr.";
    this.#options.onFault({ code: "PROTOCOL_VIOLATION", message, isLoss: false });
  }

  #closed(): void {
    this.#isClosed = true;
    this.#pending.rejectAll(endedError());
    this.#options.onClose();
  }
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function endedError(): ConnectionError {
  return new ConnectionError("CONNECTION_LOST", "The agent has ended.");
}

/** An error of a prompt that the agent reports outside of an answer; undefined when it gives none. */
export function promptError(error: unknown): ProtocolError {
  return errorOf("session/prompt", error ?? { code: RpcCode.internalError, message: "the agent gave no reason" });
}

/** Agents put the text that matters into `data.details` or `data.message`, with "Internal error" as the message. */
function errorOf(method: string, error: unknown): ProtocolError {
  const { code, message, data } = isRecord(error)
    ? error
    : { code: undefined, message: String(error), data: undefined };
  const rpcCode = typeof code === "number" ? code : RpcCode.internalError;
  const text = detailsOf(data) ?? (typeof message === "string" ? message : "no message");
  const name = rpcCode === RpcCode.methodNotFound ? "METHOD_NOT_FOUND" : "REMOTE_ERROR";
  return new ProtocolError(name, `${method} failed: ${text} (code ${rpcCode}).`, { rpcCode, data });
}

function detailsOf(data: unknown): string | undefined {
  if (typeof data === "string" && data !== "") return data;
  if (!isRecord(data)) return undefined;
  const text = data.details ?? data.message;
  return typeof text === "string" && text !== "" ? text : undefined;
}
