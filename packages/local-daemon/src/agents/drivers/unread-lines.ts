import {
  type CutLine,
  type DecodeFailure,
  encodeFailure,
  type ProtocolEngine,
  ProtocolError,
  RpcCode,
  type RpcError,
} from "@daemon-sdk/protocol";
import { redacted } from "../../redaction.js";
import type { AgentFault } from "../agent.js";
import { type EnvelopeHead, envelopeHead, looksLikeFrame } from "./envelope-head.js";
import { gluedFrames } from "./glued-frames.js";
import type { StdioTransport } from "./stdio-transport.js";

/** Options of {@link UnreadLines}. */
export interface UnreadLinesOptions {
  /** The agent's name. */
  readonly agent: string;
  readonly transport: StdioTransport;
  readonly engine: ProtocolEngine;
  /** The call whose answer may hold the whole conversation, of which nothing is needed; undefined when none waits. */
  openingId(): string | undefined;
  /** Ids of the calls that wait for an answer. */
  pendingIds(): readonly string[];
  onFault(fault: AgentFault): void;
}

type Code = Exclude<AgentFault["code"], "QUEUE_FULL" | "QUOTA_EXCEEDED" | "SLOW_CONSUMER">;

/** Longest excerpt of an agent's output in an error, in UTF-16 units. */
const EXCERPT_CHARS = 400;
const MESSAGE_TYPES: ReadonlySet<string> = new Set(["request", "response", "notification"]);
const RPC_CODES = {
  MESSAGE_TOO_LARGE: RpcCode.invalidRequest,
  PROTOCOL_VIOLATION: RpcCode.parseError,
} as const satisfies Record<Code, number>;

/**
 * What an agent writes and nobody can read as it is: lines that are too long, broken, or glued to other text.
 *
 * Whoever waits for such a message is informed at once: the agent by an error with the id of its request, a call of ours by a
 * failure, the session by a fault. Text that was never meant to be a message is reported once for each process.
 */
export class UnreadLines {
  readonly #options: UnreadLinesOptions;
  /** What was no message, for the error of a start that gets no answer. */
  #excerpt = "";
  #isTextReported = false;

  /** Takes over `onCutLine` and `onBadLine` of the transport, and `onBadFrame` of the engine. */
  constructor(options: UnreadLinesOptions) {
    const { transport, engine } = options;
    this.#options = options;
    transport.onCutLine = (text, cut) => this.#cut(text, cut);
    transport.onBadLine = (error, head) => this.#skipped(error, head);
    engine.onBadFrame = (failure, frame) => this.#badFrame(failure, frame);
  }

  /** The beginning of what the agent wrote and what was no message, without secrets; may be empty. */
  get excerpt(): string {
    return redacted(this.#excerpt);
  }

  #cut(text: string, { lineBytes, missingBytes }: CutLine): void {
    const { agent, transport, onFault } = this.#options;
    const head = envelopeHead(text);
    const what = `Agent "${agent}" sent a message of ${lineBytes} bytes.`;
    if (head.type === "notification") {
      transport.onMessage?.(text);
      const message = `${what} ${missingBytes} bytes of its texts were left out; the agent has the whole.`;
      onFault({ code: "MESSAGE_TOO_LARGE", message, isLoss: false });
    } else if (head.type === "response" && head.id !== undefined && head.id === this.#options.openingId()) {
      transport.onMessage?.(text);
    } else {
      this.#dropped(head, "MESSAGE_TOO_LARGE", `${what} It is too large to be taken.`);
    }
  }

  #skipped({ code, message }: ProtocolError, head: string): void {
    if (!looksLikeFrame(head)) this.#noMessage(head);
    else {
      const known: Code = code === "MESSAGE_TOO_LARGE" ? code : "PROTOCOL_VIOLATION";
      this.#dropped(envelopeHead(head), known, `Agent "${this.#options.agent}": ${message}`);
    }
  }

  #badFrame(failure: DecodeFailure, frame: string): void {
    const text = `Agent "${this.#options.agent}" sent a message that cannot be read: ${failure.message}.`;
    const frames = failure.fault === "syntax" ? gluedFrames(frame) : [];
    const isMessage = looksLikeFrame(frame) || (failure.type !== undefined && MESSAGE_TYPES.has(failure.type));
    if (frames.length === 0 && isMessage) {
      const head = failure.fault === "syntax" ? envelopeHead(frame) : headOf(failure);
      this.#dropped(head, "PROTOCOL_VIOLATION", text);
      return;
    }
    const around = frames.reduce((rest, one) => rest.replace(one, ""), frame);
    // A byte order mark counts as text, which `trim` does not see.
    if (/[^ \t\r\n]/.test(around)) this.#noMessage(around);
    for (const one of frames) this.#options.transport.onMessage?.(one);
  }

  /** Text that was not meant to be a message, such as a banner: it belongs on stderr. */
  #noMessage(text: string): void {
    if (this.#excerpt.length < EXCERPT_CHARS) this.#excerpt = `${this.#excerpt}${text}\n`.slice(0, EXCERPT_CHARS);
    if (this.#isTextReported) return;
    this.#isTextReported = true;
    const { agent, onFault } = this.#options;
    const message =
      `Agent "${agent}" writes text to stdout that is no message (the first: ${Buffer.byteLength(text)} bytes). ` +
      "It was skipped, as all such text of this process will be; it belongs on stderr.";
    onFault({ code: "PROTOCOL_VIOLATION", message, isLoss: false });
  }

  /** A message that is lost: whoever waits for it must not wait for a time-out. */
  #dropped({ type, id: anyId, method }: EnvelopeHead, code: Code, text: string): void {
    const id = anyId === undefined ? undefined : String(anyId);
    const { engine, onFault, pendingIds } = this.#options;
    const message = method === undefined ? text : `${text} It was a ${type ?? "message"} ${method}.`;
    const isAnswer = id === undefined ? this.#options.openingId() !== undefined : pendingIds().includes(id);
    if (type === "response" || (type === undefined && isAnswer)) {
      const call = id ?? only(pendingIds());
      if (call !== undefined) engine.abandon(call, new ProtocolError(code, message));
      return;
    }
    if (type !== "notification") this.#refuse(id ?? null, { code: RPC_CODES[code], message, data: { code } });
    onFault({ code, message, isLoss: true });
  }

  #refuse(id: string | null, error: RpcError): void {
    this.#options.transport.send(encodeFailure(id, error));
  }
}

function headOf({ id, type }: DecodeFailure): EnvelopeHead {
  return { ...(id === null ? {} : { id }), ...(type === undefined ? {} : { type }) };
}

function only<T>(all: readonly T[]): T | undefined {
  return all.length === 1 ? all[0] : undefined;
}
