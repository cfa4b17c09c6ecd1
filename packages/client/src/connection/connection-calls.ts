import {
  abortReason,
  type CallOptions,
  CLIENT_LIMITS,
  type Clock,
  type ConnectionError,
  InvalidOptionError,
  type Method,
  newId,
  type ParamsOf,
  type ProtocolEngine,
  type ResultOf,
  TimeoutError,
} from "@daemon-sdk/protocol";
import { systemClock } from "../base/index.js";

/** One call, over all the links it is made on. */
interface Call {
  readonly id: string;
  readonly method: Method<object, unknown>;
  readonly params: object;
  readonly onResult: ((result: unknown) => void) | undefined;
  /** Order in which the calls were made; they go out in it on every link. */
  readonly order: number;
  /** Settles it, once. */
  readonly settle: (outcome: { result: unknown } | { error: unknown }) => void;
  isSettled: boolean;
  /** Links that it was lost with, and how the last one ended. */
  losses: number;
  lost?: unknown;
  /** Starts of the daemon that it was lost with. */
  daemons: number;
  lastDaemon?: string;
}

/** What a call went out on. */
interface Way {
  readonly engine: ProtocolEngine;
  readonly daemon: string | undefined;
}

/**
 * All calls of a connection, over all its links.
 *
 * Without a link a call waits for one. A call that its link left without an answer is made again on the next, with the same id and
 * params, where that is safe (`Method.isRepeatable`; on a daemon that cannot `resume`, only what reads); else it rejects with
 * CONNECTION_LOST at once. Each settles exactly once: with the result, the daemon's error, its time-out (which counts from the
 * beginning), its signal, or the end of the connection.
 */
export class ConnectionCalls {
  /** The clock of the connection. */
  readonly clock: Clock;
  /** Asked before a call goes out; false: the link is in doubt, and calls wait. */
  beforeCall: (() => boolean) | undefined;
  #engine: ProtocolEngine | undefined;
  #isOpen = false;
  #offersResume = false;
  /** Which start of the daemon the link leads to; undefined where it does not tell. */
  #daemon: string | undefined;
  #mayRepeat = true;
  #end: ConnectionError | undefined;
  #count = 0;
  readonly #waiting = new Map<number, Call>();

  /** @param clock for the time-outs; default the computer's */
  constructor(clock: Clock = systemClock) {
    this.clock = clock;
  }

  /** The engine of the present link, also of one whose sessions are being attached; undefined between two. */
  get engine(): ProtocolEngine | undefined {
    return this.#engine;
  }

  /** Whether calls go out now. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Calls a method of the table, as `ProtocolEngine.request` does, on whatever link there is or will be. */
  request<M extends Method<object, unknown>>(
    method: M,
    params: ParamsOf<M>,
    options: CallOptions = {},
  ): Promise<ResultOf<M>> {
    return new Promise((resolve, reject) => {
      const { signal, timeoutMs = method.timeoutMs, id = newId(), onResult } = options;
      if (this.#end !== undefined) throw this.#end;
      if (signal?.aborted === true) throw abortReason(signal);
      if (!(timeoutMs >= 0)) {
        throw new InvalidOptionError("timeoutMs", "milliseconds from 0, which means no limit", timeoutMs);
      }
      const onAbort = () => this.#giveUp(call, abortReason(signal as AbortSignal));
      signal?.addEventListener("abort", onAbort, { once: true });
      const onTime = () => this.#giveUp(call, new TimeoutError(`Request daemon.${method.name}`, timeoutMs));
      const stopTimer = timeoutMs === 0 ? undefined : this.clock.setTimer(onTime, timeoutMs);
      const settle: Call["settle"] = (outcome) => {
        call.isSettled = true;
        stopTimer?.();
        signal?.removeEventListener("abort", onAbort);
        if ("error" in outcome) reject(outcome.error);
        else resolve(outcome.result as ResultOf<M>);
      };
      const order = this.#count++;
      const counts = { isSettled: false, losses: 0, daemons: 0 };
      const call: Call = { id, method, params: params as object, onResult, order, settle, ...counts };
      this.#send(call);
    });
  }

  /** Answers a request of the daemon; false when that was done. Without a link it counts as done: the session answers again later. */
  respond(id: string, result: unknown): boolean {
    return this.#engine === undefined ? this.#end === undefined : this.#engine.respond(id, result);
  }

  /** Tells the daemon something; false when there is no link to tell it on. */
  notify(name: string, params: object): boolean {
    return this.#engine?.notify(name, params) ?? false;
  }

  /** A link is there; calls wait on, until its sessions are attached. */
  use(engine: ProtocolEngine): void {
    this.#engine = engine;
  }

  /** The link to that start of a daemon is ready: what waits goes out, in the order in which it was asked for. */
  open(offersResume: boolean, daemon?: string): void {
    this.#offersResume = offersResume;
    this.#daemon = daemon;
    this.#mayRepeat = true;
    this.#isOpen = true;
    this.flush();
  }

  /** Lets go out what waits, unless the link is still in doubt. */
  flush(): void {
    const calls = [...this.#waiting.values()].sort((a, b) => a.order - b.order);
    this.#waiting.clear();
    for (const call of calls) {
      if (call.losses > 0 && !this.#canRepeat(call)) call.settle({ error: call.lost });
      else this.#send(call);
    }
  }

  /**
   * The link is gone, and another may come.
   *
   * @param mayRepeat false when a message was refused for its size: it may be one of the calls that wait for their answers
   */
  suspend(mayRepeat = true): void {
    this.#engine = undefined;
    this.#isOpen = false;
    this.#mayRepeat = mayRepeat;
  }

  /** No link will come: every call rejects with `error`, now and later. */
  end(error: ConnectionError): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    this.suspend();
    for (const call of [...this.#waiting.values()]) call.settle({ error });
    this.#waiting.clear();
  }

  #send(call: Call): void {
    const [engine, daemon] = [this.#engine, this.#daemon];
    if (engine === undefined || !this.#isOpen || this.beforeCall?.() === false) {
      this.#waiting.set(call.order, call);
      return;
    }
    const { id, method, params, onResult } = call;
    const options = { id, timeoutMs: 0, ...(onResult === undefined ? {} : { onResult }) };
    engine.request(method, params, options).then(
      (result) => call.settle({ result }),
      (error: unknown) => this.#failed(call, { engine, daemon }, error),
    );
  }

  #failed(call: Call, { engine, daemon }: Way, error: unknown): void {
    if (call.isSettled) return;
    call.losses += 1;
    call.lost = error;
    if (daemon === undefined || call.lastDaemon !== daemon) call.daemons += 1;
    if (daemon !== undefined) call.lastDaemon = daemon;
    const isLost = engine !== this.#engine && this.#end === undefined;
    if (isLost && this.#canRepeat(call)) this.#send(call);
    else call.settle({ error });
  }

  /** Its time is up, or nobody wants it any more. */
  #giveUp(call: Call, error: Error): void {
    call.settle({ error });
    this.#waiting.delete(call.order);
    this.#engine?.abandon(call.id, error);
  }

  #canRepeat({ method: { name, isRepeatable }, params, losses, daemons }: Call): boolean {
    if (!isRepeatable || !this.#mayRepeat) return false;
    if (losses > CLIENT_LIMITS.callRepeats || daemons > CLIENT_LIMITS.callDaemons) return false;
    if (!this.#offersResume) return /^(get|list|search|load)_/.test(name);
    const key = ONCE_BY.get(name);
    return key === undefined || key in params;
  }
}

/** Methods that the daemon acts on once only when the caller gave a name to what they make, or end. */
const ONCE_BY: ReadonlyMap<string, string> = new Map([
  ["initialize_session", "sessionId"],
  ["add_user_message", "messageId"],
  ["interrupt_session", "messageId"],
]);
