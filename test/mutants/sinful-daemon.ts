import type { Transport, TransportClose } from "@daemon-sdk/protocol";
import { type DaemonHarness, fakeDaemonHarness } from "@daemon-sdk/testing";

/** Calls that attach a connection to an existing session. */
const ATTACHING: ReadonlySet<unknown> = new Set([
  "daemon.load_session",
  "daemon.resume_session",
  "daemon.follow_session",
]);

/** A frame as it passes a sinful daemon's wire. */
export type Frame = {
  type?: string;
  id?: string | null;
  method?: string;
  params?: Record<string, unknown> & { notification?: Record<string, unknown> & { type: string } };
  result?: Record<string, unknown>;
  error?: { code: number; message: string; data?: Record<string, unknown> };
  _meta?: Record<string, unknown>;
} & Record<string, unknown>;

/** What a daemon does wrong: it changes what passes its wires. One object lives as long as the daemon. */
export interface Sin {
  /** Replaces a client's frame before the daemon receives it; undefined drops the frame. */
  hears?(frame: Frame, wire: SinfulWire): Frame | undefined;
  /** As `hears`, for a text that may be no frame; undefined drops the text. */
  hearsText?(text: string, wire: SinfulWire): string | undefined;
  /** What it says in place of a frame. */
  says?(frame: Frame, wire: SinfulWire): readonly Frame[];
  /** A client's side was cut off. */
  onTerminate?(wire: SinfulWire): void;
  /** How it closes a connection. */
  closes?(end: TransportClose): TransportClose;
  /** What else is wrong with its harness. */
  harness?(harness: Omit<DaemonHarness, "offers">): Partial<Omit<DaemonHarness, "offers">>;
}

/** What all wires of one daemon know. */
export interface Shared {
  readonly wires: Set<SinfulWire>;
  readonly sin: Sin;
}

/** One connection to a sinful daemon. It knows what passed: requests by id, sessions that were opened on it. */
export class SinfulWire implements Transport {
  onClose: ((event: TransportClose) => void) | undefined;
  /** The requests that passed, by id. */
  readonly requests = new Map<string, Frame>();
  /** Sessions made on it, and loaded or resumed on it. */
  readonly made = new Set<string>();
  readonly joined = new Set<string>();
  isLetIn = false;
  readonly shared: Shared;
  readonly #inner: Transport;
  #handler: ((text: string) => void) | undefined;

  constructor(inner: Transport, shared: Shared) {
    this.#inner = inner;
    this.shared = shared;
    shared.wires.add(this);
    inner.onClose = (end) => {
      shared.wires.delete(this);
      this.onClose?.(shared.sin.closes?.(end) ?? end);
    };
  }

  get bufferedBytes(): number {
    return this.#inner.bufferedBytes;
  }
  get onMessage() {
    return this.#handler;
  }
  set onMessage(handler: ((text: string) => void) | undefined) {
    this.#handler = handler;
    this.#inner.onMessage = (text) => this.#fromDaemon(JSON.parse(text) as Frame);
  }
  get onWritable() {
    return this.#inner.onWritable;
  }
  set onWritable(handler: (() => void) | undefined) {
    this.#inner.onWritable = handler;
  }

  send(text: string): boolean {
    const { sin } = this.shared;
    const heard = sin.hearsText === undefined ? text : sin.hearsText(text, this);
    if (heard === undefined) return true;
    const frame = parsed(heard);
    if (frame === undefined || sin.hears === undefined) return this.#pass(frame, heard);
    const kept = sin.hears(frame, this);
    return kept === undefined || this.#pass(kept, JSON.stringify(kept));
  }

  close(code?: number, reason?: string): void {
    this.#inner.close(code, reason);
  }
  terminate(): void {
    this.shared.sin.onTerminate?.(this);
    this.#inner.terminate();
  }

  /** Says something that the daemon did not say. */
  say(...frames: readonly Frame[]): void {
    for (const frame of frames)
      this.#handler?.(JSON.stringify({ jsonrpc: "2.0", factoryApiVersion: "1.0.0", ...frame }));
  }

  /** Answers a request in place of the daemon, after the caller's stack. The daemon does not receive the request. */
  answer({ id }: Frame, body: Pick<Frame, "result" | "error">): undefined {
    queueMicrotask(() => this.say({ type: "response", id: id ?? null, ...body }));
  }

  /** Asks the daemon something that the client did not ask. The answer goes nowhere. */
  ask(method: string, params: Frame["params"]): void {
    const envelope = { jsonrpc: "2.0", factoryApiVersion: "1.0.0", type: "request" };
    this.#inner.send(JSON.stringify({ ...envelope, id: `sin-${method}`, method: `daemon.${method}`, params }));
  }

  #pass(frame: Frame | undefined, text: string): boolean {
    if (frame?.type === "request" && typeof frame.id === "string") this.requests.set(frame.id, frame);
    const { sessionId } = frame?.params ?? {};
    if (ATTACHING.has(frame?.method) && typeof sessionId === "string") this.joined.add(sessionId);
    return this.#inner.send(text);
  }

  #fromDaemon(frame: Frame): void {
    if (frame.type === "response" && frame.id?.startsWith("sin-")) return;
    const request = this.requestOf(frame);
    const made = request?.method === "daemon.initialize_session" ? frame.result?.sessionId : undefined;
    if (typeof made === "string") this.made.add(made);
    for (const said of this.shared.sin.says?.(frame, this) ?? [frame]) this.say(said);
  }

  /** The request that a response answers. */
  requestOf({ type, id }: Frame): Frame | undefined {
    return type === "response" && typeof id === "string" ? this.requests.get(id) : undefined;
  }
}

function parsed(text: string): Frame | undefined {
  try {
    const frame: unknown = JSON.parse(text);
    return typeof frame === "object" && frame !== null && !Array.isArray(frame) ? (frame as Frame) : undefined;
  } catch {
    return undefined;
  }
}

const AUTHENTICATE_MS = 2_000;

/** Knows which connections are let in: the fake daemon has no timer of its own that would close the others. */
const DOORKEEPER: Sin = {
  says(frame, wire) {
    if (wire.requestOf(frame)?.method === "daemon.authenticate" && frame.result) wire.isLetIn = true;
    return [frame];
  },
};

/** A fake daemon that commits this sin, and keeps all other laws. */
export function sinfulHarness(sin: Sin, patienceMs: number): DaemonHarness {
  return fakeDaemonHarness({
    patienceMs,
    offers: ["deadlines"],
    wrap(harness) {
      const inner = { sin: DOORKEEPER, wires: new Set<SinfulWire>() };
      const outer = { sin, wires: new Set<SinfulWire>() };
      const complete = {
        ...harness,
        connect: async () => new SinfulWire(new SinfulWire(await harness.connect(), inner), outer),
        async passTime(ms: number) {
          await harness.passTime?.(ms);
          for (const wire of inner.wires) if (ms >= AUTHENTICATE_MS && !wire.isLetIn) wire.close(4401);
        },
      };
      return { ...complete, ...sin.harness?.(complete) };
    },
  });
}
