import { createHash, type Hash } from "node:crypto";
import {
  decodeFrame,
  LIMITS,
  METHODS,
  type RequestEnvelope,
  type SessionEnvelope,
  TextCutter,
} from "@daemon-sdk/protocol";
import { type EnvelopeHead, envelopeHead } from "../agents/index.js";
import type { LargePrompt } from "../turns/index.js";
import { JsonScan } from "./json-scan.js";

/** What a large message turned out to be. */
export type LargeOutcome =
  /** A message as any other, with its text. */
  | { readonly kind: "text"; readonly text: string }
  /** A prompt: the request is its outline. */
  | { readonly kind: "prompt"; readonly request: RequestEnvelope; readonly large: LargePrompt }
  /** More than its method takes. */
  | {
      readonly kind: "tooLarge";
      readonly why: string;
      /** Its outline; undefined where that is too large as well. */
      readonly envelope: SessionEnvelope | undefined;
      readonly head: EnvelopeHead;
    };

const PROMPT = `daemon.${METHODS.addUserMessage.name}`;

/** Methods that may be larger than others, beside prompts: they hold documents, or many paths. */
const DOCUMENTS: ReadonlySet<string | undefined> = new Set([
  `daemon.${METHODS.answerRequest.name}`,
  `daemon.${METHODS.executeRewind.name}`,
]);

/**
 * One large message of a client, while it arrives.
 *
 * Of every message an outline is made, in which long texts are cut. Only the params of a prompt are kept whole, as the bytes that
 * came: they are stored as that. Of a message that is larger than its method takes nothing is kept but its outline, so that the
 * refusal has its id, and costs no parsing.
 */
export class LargeCall {
  readonly #cutter = new TextCutter({
    maxBytes: LIMITS.outlineBytes,
    textBytes: LIMITS.outlineTextBytes,
    cutsAll: true,
    mark: (bytes) => `\n[${bytes} bytes more]`,
  });
  readonly #scan = new JsonScan(["params", "result"]);
  readonly #keeps: boolean;
  #head: EnvelopeHead = {};
  /** As far as its head tells. */
  #mostBytes = 0;
  #bytes = 0;
  #from: number | undefined;
  #digest: Hash = createHash("sha256");
  #parts: Uint8Array[] = [];

  /** @param keeps whether anything of it is kept but its outline */
  constructor(keeps: boolean) {
    this.#keeps = keeps;
  }

  /** Bytes so far. */
  get length(): number {
    return this.#bytes;
  }

  /** Takes the next bytes, which are kept. */
  push(part: Uint8Array): void {
    if (this.#bytes === 0) this.#readHead(part);
    this.#cutter.push(part);
    this.#scan.push(part);
    this.#keep(part);
    this.#bytes += part.length;
    if (this.#bytes > this.#mostBytes) this.#parts = [];
  }

  /** The message is complete. */
  end(): LargeOutcome {
    const cut = this.#cutter.end();
    const head = this.#head;
    if (cut === undefined) {
      const what = head.method ?? "The message";
      const why = `${what} has more than ${LIMITS.outlineBytes} bytes beside its long texts (outlineBytes).`;
      return { kind: "tooLarge", why, envelope: undefined, head };
    }
    const text = new TextDecoder().decode(cut.bytes);
    const outline = decodeFrame(text);
    // Where it is no message, the outline is refused as the whole would be; a broken text within it is no JSON.
    if (!outline.ok || !this.#scan.isValid) return { kind: "text", text: this.#scan.isValid ? text : "" };
    return this.#outcome(text, outline.envelope);
  }

  #outcome(text: string, envelope: SessionEnvelope): LargeOutcome {
    const method = envelope.type === "response" ? undefined : envelope.method;
    const { most, bound } = this.#keeps ? boundOf({ type: envelope.type, method }) : STRANGERS;
    const parts = this.#parts;
    // Its head named another method, with a smaller bound, when its params were dropped.
    const isDropped = this.#from !== undefined && parts.length === 0;
    if (this.#bytes > most || isDropped) {
      const why = `${method ?? "The response"} has ${this.#bytes} bytes, ${most} are the limit (${bound}).`;
      return { kind: "tooLarge", why, envelope, head: this.#head };
    }
    if (parts.length === 0) return { kind: "text", text };
    if (envelope.type !== "request" || method !== PROMPT) {
      return { kind: "text", text: whole(text, Buffer.concat(parts).toString()) };
    }
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    return { kind: "prompt", request: envelope, large: { parts, bytes, digest: this.#digest.digest("hex") } };
  }

  #readHead(part: Uint8Array): void {
    this.#head = envelopeHead(Buffer.from(part.subarray(0, HEAD_BYTES)).toString());
    this.#mostBytes = this.#keeps ? boundOf(this.#head).most : 0;
  }

  #keep(part: Uint8Array): void {
    const { range } = this.#scan;
    if (range === undefined) return;
    if (range.from !== this.#from) {
      // The last value of a key counts, as for a parser.
      this.#from = range.from;
      this.#parts = [];
      this.#digest = createHash("sha256");
    }
    const kept = part.subarray(
      Math.max(0, range.from - this.#bytes),
      range.to === undefined ? part.length : Math.max(0, range.to - this.#bytes),
    );
    if (kept.length === 0 || this.#bytes + part.length > this.#mostBytes) return;
    this.#digest.update(kept);
    this.#parts.push(kept);
  }
}

/** Bytes that a message may have, and the name of that bound. */
interface Bound {
  readonly most: number;
  readonly bound: string;
}

/** A peer that has not authenticated sends no large message. */
const STRANGERS: Bound = { most: LIMITS.largeMessageBytes, bound: "largeMessageBytes" };

function boundOf({ type, method }: { readonly type?: string; readonly method?: string | undefined }): Bound {
  if (type === "response" || DOCUMENTS.has(method)) {
    return { most: LIMITS.documentCallBytes, bound: "documentCallBytes" };
  }
  // Its method may come behind its params.
  if (method === PROMPT || method === undefined) return { most: LIMITS.sessionFrameBytes, bound: "sessionFrameBytes" };
  return { most: LIMITS.callBytes, bound: "callBytes" };
}

/** Bytes at the beginning of a message in which its method is looked for. */
const HEAD_BYTES = 4_096;

/** The message of an outline, with its whole params or result. */
function whole(outline: string, value: string): string {
  const { params, result, ...envelope } = JSON.parse(outline) as Record<string, unknown>;
  const key = params === undefined && result !== undefined ? "result" : "params";
  return `${JSON.stringify(envelope).slice(0, -1)},"${key}":${value}}`;
}
