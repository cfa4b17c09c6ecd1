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
  type TraceContext,
  withoutUndefined,
} from "@daemon-sdk/protocol";
import { type CallTracing, systemClock } from "../base/index.js";

/** One call, over all the links it is made on. */
interface Call {
  readonly id: string;
  readonly method: Method<object, unknown>;
  readonly params: object;
  readonly onResult?: (result: unknown) => void;
  readonly trace?: TraceContext;
  /** Number of the call; on every link calls are sent in the order of their numbers. */
  readonly order: number;
  /** Settles the call; to be called once. */
  readonly settle: (outcome: { result: unknown } | { error: unknown }) => void;
  isSettled: boolean;
  /** Links that broke under this call. */
  losses: number;
  /** The last one's error. */
  lost?: unknown;
  /** Instances of the daemon at the other ends of these links. */
  daemons: number;
  lastDaemon?: string;
}

/** The link on which a call was sent. */
interface Way {
  readonly engine: ProtocolEngine;
  readonly daemon: string | undefined;
}

/**
 * All calls of a connection, over all its links.
 *
 * Without a link a call waits for one. A call whose link broke before the answer is repeated on the next link, with the same id
 * and params, where that is safe (`Method.isRepeatable`; on a daemon that cannot `resume`, only calls that read); else it rejects
 * with CONNECTION_LOST at once. Each call settles exactly once: with the result, the daemon's error, its time-out (counted from
 * the call, over all links), its signal's reason, or the error that ended the connection.
 */
export class ConnectionCalls {
  /** The clock of the connection. */
  readonly clock: Clock;
  /** Called before a call is sent. False: the link is in doubt, and the call waits. */
  beforeCall: (() => boolean) | undefined;
  /** Makes spans of calls; undefined where the process has no tracing. */
  tracing: CallTracing | undefined;
  #engine: ProtocolEngine | undefined;
  #isOpen = false;
  #offersResume = false;
  /** Instance id of the daemon at the other end of the link; undefined where the daemon states none. */
  #daemon: string | undefined;
  #mayRepeat = true;
  #end: ConnectionError | undefined;
  #count = 0;
  readonly #waiting = new Map<number, Call>();

  /** @param clock of the time-outs; default the computer's */
  constructor(clock: Clock = systemClock) {
    this.clock = clock;
  }

  /** The engine of the present link, from the moment in which sessions are attached to it; undefined without a link. */
  get engine(): ProtocolEngine | undefined {
    return this.#engine;
  }

  /** Whether calls are sent now. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Calls a method of the table, as `ProtocolEngine.request` does, on the present link or the next one. */
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
      const span = this.tracing?.begin(method.name, params);
      const settle: Call["settle"] = (outcome) => {
        call.isSettled = true;
        span?.end("error" in outcome ? outcome.error : undefined);
        stopTimer?.();
        signal?.removeEventListener("abort", onAbort);
        if ("error" in outcome) reject(outcome.error);
        else resolve(outcome.result as ResultOf<M>);
      };
      const order = this.#count++;
      const counts = { isSettled: false, losses: 0, daemons: 0 };
      const optional = withoutUndefined({ onResult, trace: span?.trace });
      const call: Call = { id, method, params, order, settle, ...optional, ...counts };
      this.#send(call);
    });
  }

  /**
   * Answers a request of the daemon; false when the request was answered before. Without a link the result is true: the session
   * answers again later.
   */
  respond(id: string, result: unknown): boolean {
    return this.#engine === undefined ? this.#end === undefined : this.#engine.respond(id, result);
  }

  /** Sends a notification to the daemon; false without a link. */
  notify(name: string, params: object): boolean {
    return this.#engine?.notify(name, params) ?? false;
  }

  /** Uses a new link to attach the sessions; calls wait until {@link open}. */
  use(engine: ProtocolEngine): void {
    this.#engine = engine;
  }

  /** Sends the waiting calls, and later ones at once: the sessions are attached. `daemon` is the daemon's instance id. */
  open(offersResume: boolean, daemon?: string): void {
    this.#offersResume = offersResume;
    this.#daemon = daemon;
    this.#mayRepeat = true;
    this.#isOpen = true;
    this.flush();
  }

  /** Sends the waiting calls in their order, unless the link is still in doubt. */
  flush(): void {
    const calls = [...this.#waiting.values()].sort((a, b) => a.order - b.order);
    this.#waiting.clear();
    for (const call of calls) {
      if (call.losses > 0 && !this.#canRepeat(call)) call.settle({ error: call.lost });
      else this.#send(call);
    }
  }

  /**
   * The link is lost, and another may follow.
   *
   * @param mayRepeat false when a message was refused for its size: that message may be one of the calls without an answer
   */
  suspend(mayRepeat = true): void {
    this.#engine = undefined;
    this.#isOpen = false;
    this.#mayRepeat = mayRepeat;
  }

  /** No link will follow: every call rejects with `error`, now and later. */
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
    const { method, params } = call;
    engine.request(method, params, { timeoutMs: 0, ...call }).then(
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

  /** Settles a call that timed out or was aborted. */
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

/** Methods that are safe to repeat only with an id that the caller chose, and the param of that id. */
const ONCE_BY: ReadonlyMap<string, string> = new Map([
  ["initialize_session", "sessionId"],
  ["add_user_message", "messageId"],
  ["interrupt_session", "messageId"],
]);
