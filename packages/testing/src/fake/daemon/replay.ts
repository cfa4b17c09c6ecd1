import { ProtocolError, RpcCode } from "@daemon-sdk/protocol";
import { type RecordedFrame, type Recording, readRecording } from "../../transport/index.js";
import type { IncomingFrame } from "../wire/index.js";
import { type FakeLink, withoutPrefix } from "./link.js";

/** What a client says that a recording answers. */
type Said = Extract<IncomingFrame, { kind: "request" | "response" }>;

/** One thing the recorded client said, and what the daemon said until the client spoke again. */
interface Exchange {
  readonly kind: Said["kind"];
  /** Method of a request, id of a response; undefined: nothing is waited for. */
  readonly name: string | undefined;
  readonly frame: Record<string, unknown>;
  readonly answers: Record<string, unknown>[];
  isSaid: boolean;
}

/** Said when a client likes; a recording does not wait for it. */
const UNAWAITED: ReadonlySet<string> = new Set(["ping", "grant_credit"]);

/**
 * One recorded connection, played to a client: it hears what the recorded one heard, in that order, each piece once it has
 * said what the recorded one had said before. Ids that the client makes stand in for the recorded ones.
 */
export class Replay {
  readonly #exchanges: Exchange[] = [];
  /** Recorded ids, as they stand in JSON, and those that this client uses. */
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

  /** Begins: what the daemon said before the client did. */
  start(link: FakeLink): void {
    this.#play(link);
  }

  /** Takes what a client said. False: the recording knows nothing of it. */
  take(link: FakeLink, said: Said): boolean {
    const name = said.kind === "request" ? withoutPrefix(said.method) : (said.id ?? undefined);
    const exchange = this.#exchanges.find((one) => !one.isSaid && one.kind === said.kind && this.#nameOf(one) === name);
    if (!exchange) return false;
    exchange.isSaid = true;
    this.#learn(exchange.frame, said);
    this.#play(link);
    return true;
  }

  /** What the recorded client said and this one has not (yet); in words. */
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

/** What the fake daemon answers to a request that the recording does not have. */
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
