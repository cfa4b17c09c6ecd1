import { ProtocolError, RpcCode } from "@daemon-sdk/protocol";
import { type RecordedFrame, type Recording, readRecording } from "../../transport/index.js";
import type { IncomingFrame } from "../wire/index.js";
import { type FakeLink, withoutPrefix } from "./link.js";

/** A frame of a client that a recording answers. */
type Said = Extract<IncomingFrame, { kind: "request" | "response" }>;

/** One frame of the recorded client, and the daemon's frames until the client's next one. */
interface Exchange {
  readonly kind: Said["kind"];
  /** Method of a request, or id of a response; undefined for the frames before the first one of the client. */
  readonly name: string | undefined;
  readonly frame: Record<string, unknown>;
  readonly answers: Record<string, unknown>[];
  isSaid: boolean;
}

/** Methods that a client may call at any time; a recording does not wait for them. */
const UNAWAITED: ReadonlySet<string> = new Set(["ping", "grant_credit"]);

/**
 * Plays one recorded connection to a client. The client receives the recorded frames in order, each after it has sent what
 * the recorded client had sent before. Ids that the client makes replace the recorded ones.
 */
export class Replay {
  readonly #exchanges: Exchange[] = [];
  /** Recorded ids in JSON, each with the id that this client uses. */
  readonly #ids = new Map<string, string>();
  #next = 0;

  /** @throws ProtocolError when the recording cannot be read */
  constructor(recording: Recording) {
    let current: Exchange = { kind: "request", name: undefined, frame: {}, answers: [], isSaid: true };
    this.#exchanges.push(current);
    for (const { direction, frame } of readRecording(recording)) {
      if (direction === "to-client") current.answers.push(frame);
      else if (isAwaited(frame)) {
        current = exchangeOf(frame);
        this.#exchanges.push(current);
      }
    }
  }

  /** Sends the daemon's frames before the first one of the client. */
  start(link: FakeLink): void {
    this.#play(link);
  }

  /** Handles a frame of the client. False when the recording has no such frame. */
  take(link: FakeLink, said: Said): boolean {
    const name = said.kind === "request" ? withoutPrefix(said.method) : (said.id ?? undefined);
    const exchange = this.#exchanges.find((one) => !one.isSaid && one.kind === said.kind && this.#nameOf(one) === name);
    if (!exchange) return false;
    exchange.isSaid = true;
    this.#learn(exchange.frame, said);
    this.#play(link);
    return true;
  }

  /** Descriptions of the recorded frames that this client has not sent. */
  get left(): string[] {
    return this.#exchanges.filter(({ isSaid }) => !isSaid).map(({ kind, name }) => `${kind} ${name}`);
  }

  #nameOf({ kind, name = "" }: Exchange): string {
    return kind === "response" ? (this.#ids.get(name) ?? name) : name;
  }

  #learn(recorded: Record<string, unknown>, said: Said): void {
    if (said.kind !== "request") return;
    this.#stands(recorded.id, said.id);
    const { params } = recorded;
    for (const key of ["messageId", "sessionId"]) this.#stands(Reflect.get(Object(params), key), said.params[key]);
  }

  #stands(recorded: unknown, live: unknown): void {
    if (typeof recorded === "string" && typeof live === "string") this.#ids.set(recorded, live);
  }

  #play(link: FakeLink): void {
    for (; this.#exchanges[this.#next]?.isSaid; this.#next++) {
      for (const frame of this.#exchanges[this.#next]?.answers ?? []) link.sendRaw(this.#translate(frame));
    }
  }

  #translate(frame: Record<string, unknown>): string {
    return JSON.stringify(frame, (_key, value: unknown) =>
      typeof value === "string" ? (this.#ids.get(value) ?? value) : value,
    );
  }
}

/** The fake daemon's answer to a request that the recording does not contain. */
export function notRecorded(method: string, left: readonly string[]): { code: number; message: string } {
  const wanted = left.length === 0 ? "nothing" : left.join(", ");
  const message = `The recording has no (other) ${method}. What it still waits for: ${wanted}.`;
  return { code: RpcCode.internalError, message };
}

function isAwaited(frame: Record<string, unknown>): boolean {
  if (frame.type === "notification") return false;
  return frame.type !== "request" || !UNAWAITED.has(withoutPrefix(String(frame.method)) ?? "");
}

function exchangeOf(frame: RecordedFrame["frame"]): Exchange {
  const rest = { frame, answers: [], isSaid: false };
  if (frame.type === "request") return { kind: "request", name: withoutPrefix(String(frame.method)), ...rest };
  if (frame.type === "response") return { kind: "response", name: String(frame.id), ...rest };
  throw new ProtocolError("PROTOCOL_VIOLATION", `A recorded frame has the type ${String(frame.type)}.`);
}
