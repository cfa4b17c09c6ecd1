import {
  ConnectionError,
  isRecord,
  LIMITS,
  type Logger,
  PendingRequests,
  RpcCode,
  RpcFault,
} from "@daemon-sdk/protocol";
import { FACE_LIMITS } from "../limits/index.js";
import { AcpCode, faultOf } from "./mapping/index.js";

/** Where frames to an editor go. */
export interface EditorOutput {
  /** False: the editor has to read before more is sent. */
  send(text: string): boolean;
  /** Calls once when the editor has caught up. */
  onceWritable(callback: () => void): void;
}

/** The answer to a call of the editor. */
export interface Served {
  readonly result: object;
  /** Runs when the answer was sent: what must not come before it. */
  after?(): void;
}

/** Options of {@link EditorPeer}. */
export interface EditorPeerOptions {
  readonly output: EditorOutput;
  readonly logger: Logger;
  /** Serves a call; the signal is aborted when the editor cancels it. A rejection is answered as an error. */
  serve(method: string, params: Record<string, unknown>, signal: AbortSignal): Promise<Served>;
  onNotification(method: string, params: Record<string, unknown>): void;
  /** The editor reads again, after `isBlocked` was true. */
  onWritable(): void;
}

/** A call of the editor that is served. */
interface Serving {
  readonly method: string;
  readonly abort: AbortController;
}

type Id = string | number | null;

/**
 * JSON-RPC 2.0 with an editor, on the agent's side of ACP (docs/wire/acp.md#wire).
 *
 * A line that is no frame is answered as JSON-RPC says. An answer of the editor is matched by the text of its id; one that nobody waits
 * for is counted and dropped: a question may have been withdrawn meanwhile.
 */
export class EditorPeer {
  readonly counters = { badFrames: 0, strayAnswers: 0, refusedCalls: 0 };

  readonly #options: EditorPeerOptions;
  /** Our questions to the editor. */
  readonly #asked = new PendingRequests();
  /** The editor's calls, by the JSON of their ids. */
  readonly #serving = new Map<string, Serving>();
  readonly #onAnswered: (() => void)[] = [];
  #nextId = 0;
  #isBlocked = false;
  #isEnded = false;

  constructor(options: EditorPeerOptions) {
    this.#options = options;
  }

  /** Whether the editor has to read before more events should be sent. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  receive(text: string): void {
    const frame = parse(text);
    if (frame === undefined) this.#bad(RpcCode.parseError, "The line is no JSON.");
    else if (!isRecord(frame)) this.#bad(RpcCode.invalidRequest, "A message is one JSON object; there are no batches.");
    else if (typeof frame.method === "string") this.#called(frame, frame.method);
    else if ("id" in frame && ("result" in frame || "error" in frame)) this.#answered(frame);
    else this.#bad(RpcCode.invalidRequest, "The message is neither a request, nor a notification, nor a response.");
  }

  /** A line was too long or no UTF-8. */
  skip(message: string): void {
    this.#bad(RpcCode.invalidRequest, message);
  }

  /**
   * Asks the person at the editor; there is no time-out. An abort withdraws the question by `$/cancel_request`, and rejects with the
   * signal's reason.
   */
  ask(method: string, params: object, signal: AbortSignal): Promise<unknown> {
    if (this.#isEnded) return Promise.reject(goneError());
    const id = this.#nextId++;
    const answer = this.#asked.add({ id: String(id), method, params, timeoutMs: 0, signal, onResult: undefined });
    if (!this.#asked.has(String(id))) return answer;
    this.#send({ id, method, params });
    signal.addEventListener("abort", () => this.notify("$/cancel_request", { requestId: id }), { once: true });
    return answer;
  }

  notify(method: string, params: object): void {
    this.#send({ method, params });
  }

  /** Nothing more is received or sent; calls under way are aborted. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#asked.rejectAll(goneError());
    for (const { abort } of this.#serving.values()) abort.abort(goneError());
  }

  /** Resolves when no call is served but such ones. Rejects what the editor is asked: it sends nothing more. */
  async answered(isLeft: (method: string) => boolean): Promise<void> {
    this.#asked.rejectAll(goneError());
    while ([...this.#serving.values()].some(({ method }) => !isLeft(method))) {
      await new Promise<void>((resolve) => this.#onAnswered.push(resolve));
    }
  }

  #called(frame: Record<string, unknown>, method: string): void {
    const { id } = frame;
    const params = isRecord(frame.params) ? frame.params : {};
    if (!("id" in frame)) this.#notified(method, params);
    else if (!isId(id)) this.#bad(RpcCode.invalidRequest, "The id of a request is a string, a number or null.");
    else if (this.#serving.has(JSON.stringify(id))) {
      this.#fail(id, new RpcFault(RpcCode.invalidRequest, "A request of this id is being served."));
    } else if (this.#serving.size >= FACE_LIMITS.editorCalls) {
      this.counters.refusedCalls++;
      const message = `${FACE_LIMITS.editorCalls} calls are being served (editorCalls). Wait for an answer.`;
      this.#fail(id, new RpcFault(RpcCode.internalError, message, { code: "QUEUE_FULL", retryable: true }));
    } else void this.#serve(id, method, params);
  }

  async #serve(id: Id, method: string, params: Record<string, unknown>): Promise<void> {
    const key = JSON.stringify(id);
    const abort = new AbortController();
    this.#serving.set(key, { method, abort });
    try {
      const { result, after } = await this.#options.serve(method, params, abort.signal);
      this.#served(key);
      this.#send({ id, result });
      after?.();
    } catch (error) {
      this.#served(key);
      const fault = faultOf(error);
      this.#options.logger.debug({ method, rpcCode: fault.rpcCode, error: String(error) }, "an editor's call failed");
      this.#fail(id, fault);
    }
  }

  /** Resolved promises run on after the answer was sent. */
  #served(key: string): void {
    this.#serving.delete(key);
    for (const resolve of this.#onAnswered.splice(0)) resolve();
  }

  #notified(method: string, params: Record<string, unknown>): void {
    if (method !== "$/cancel_request") {
      this.#options.onNotification(method, params);
      return;
    }
    const { requestId } = params;
    const call = isId(requestId) ? this.#serving.get(JSON.stringify(requestId)) : undefined;
    call?.abort.abort(new RpcFault(AcpCode.cancelled, "Cancelled"));
  }

  #answered({ id, result, error }: Record<string, unknown>): void {
    const question = isId(id) ? this.#asked.get(String(id)) : undefined;
    if (question === undefined) this.counters.strayAnswers++;
    else if (error === undefined || error === null) this.#asked.resolve(question.id, result);
    else this.#asked.reject(question.id, refusalOf(error));
  }

  #bad(code: number, message: string): void {
    this.counters.badFrames++;
    this.#options.logger.debug({ code }, `an editor sent what is no message: ${message}`);
    this.#send({ id: null, error: { code, message } });
  }

  #fail(id: Id, { rpcCode: code, message, data }: RpcFault): void {
    this.#send({ id, error: { code, message, ...(data !== undefined && { data }) } });
  }

  #send(frame: object): void {
    if (this.#isEnded) return;
    const isFree = this.#options.output.send(JSON.stringify({ jsonrpc: "2.0", ...frame }));
    if (isFree || this.#isBlocked) return;
    this.#isBlocked = true;
    this.#options.output.onceWritable(() => {
      this.#isBlocked = false;
      this.#options.onWritable();
    });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isId(id: unknown): id is Id {
  return id === null || typeof id === "number" || (typeof id === "string" && id.length <= LIMITS.idChars);
}

function refusalOf(error: unknown): RpcFault {
  const { code, message } = isRecord(error) ? error : { code: undefined, message: undefined };
  const number = typeof code === "number" ? code : RpcCode.internalError;
  return new RpcFault(number, typeof message === "string" ? message : "The editor refused the question.");
}

function goneError(): ConnectionError {
  return new ConnectionError("CONNECTION_LOST", "The editor has disconnected.");
}
