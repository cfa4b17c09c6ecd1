// Facts of the wire: docs/wire/session.md#error-classes

/**
 * What went wrong, where the same call can succeed later, unchanged.
 *
 * Codes are stable API: callers switch on them, logs carry them, docs/errors.md lists them.
 */
const RETRYABLE = [
  /** The other side could not be reached. */
  "CONNECTION_FAILED",
  /** The other side was reached, and did not answer in time. */
  "CONNECT_TIMEOUT",
  /** An open connection broke. */
  "CONNECTION_LOST",
  /** The local daemon could not be started. */
  "DAEMON_START_FAILED",
  /** No local daemon runs, and the options forbid to start one. */
  "DAEMON_NOT_RUNNING",
  /** The machine of a fleet is not online. */
  "MACHINE_GONE",
  /** No machine of a fleet meets the needs of a session. */
  "NO_MACHINE",
  /** The daemon is stopping, and accepts no new work. */
  "DAEMON_STOPPING",
  /** The session is on its way to another machine of its fleet, and takes nothing meanwhile. */
  "SESSION_MOVING",
  /** The session's agent is not connected (wire code -32005). */
  "SESSION_DISCONNECTED",
  /** The session's queue of prompts is full, or the credential's queue of searches. */
  "QUEUE_FULL",
  /** As many agents start or run as may; the session's agent waits for its start. */
  "AGENTS_BUSY",
  /** No answer in time. */
  "REQUEST_TIMEOUT",
  /** A child process ended. */
  "PROCESS_EXITED",
  /** The store could not take a commit: disk full or read-only. */
  "STORAGE_FULL",
] as const;

/** Failures that the same call would meet again. A separate list, so that the bundle of a page does not contain it. */
const FINAL = [
  /** The connection was closed on this side; calls after `close()`. */
  "CONNECTION_CLOSED",
  /** The daemon refused the credential. */
  "AUTH_REJECTED",
  /** No credential was given or found. */
  "AUTH_MISSING",
  /** The peer did not prove that it is our daemon; no credential was sent. */
  "PEER_NOT_PROVEN",
  /** `@daemon-sdk/local-daemon` is not installed, or this is a browser. */
  "LOCAL_DAEMON_UNAVAILABLE",
  /** Another daemon holds the state directory. */
  "DAEMON_ALREADY_RUNNING",
  /** The state directory can be read or replaced by others. */
  "STATE_DIR_UNSAFE",
  /** Another connection took over the name of this one. To reconnect would take the name away again. */
  "NAME_TAKEN",
  /** The peer reads too slowly, or the consumer of a stream does. */
  "SLOW_CONSUMER",
  /** A frame that the wire does not allow. */
  "PROTOCOL_VIOLATION",
  /** A message over the receiver's limit. */
  "MESSAGE_TOO_LARGE",
  /** The journal has no such position, or no longer has the entries after it. */
  "RESUME_TOO_OLD",
  /** The peer answered with an error that has no code of its own here; see `rpcCode`. */
  "REMOTE_ERROR",
  /** The peer does not implement the method. */
  "METHOD_NOT_FOUND",
  /** No agent or user of that name. */
  "RECIPIENT_NOT_FOUND",
  /** The peer refused the parameters. */
  "INVALID_PARAMS",
  /** The peer's result is not what the method promises. */
  "INVALID_RESULT",
  /** The peer speaks another version of the wire. */
  "VERSION_MISMATCH",
  /** The policy of the key does not allow it. */
  "NOT_ALLOWED",
  /** The sessions of this principal have as many bytes as they may. */
  "QUOTA_EXCEEDED",
  /** The machine has no replica of its sessions. */
  "NO_REPLICA",
  /** No session of that id. */
  "SESSION_NOT_FOUND",
  /** Another machine of the fleet has the session; the error names it. */
  "SESSION_MOVED",
  /** The session was closed. */
  "SESSION_CLOSED",
  /** The handle was detached, or the daemon unsubscribed it. The session itself continues. */
  "SESSION_DETACHED",
  /** The session has a handle on this connection already. */
  "SESSION_ALREADY_ATTACHED",
  /** The session cannot do that in its present state. */
  "SESSION_STATE",
  /** A stream runs on this session already. */
  "CONCURRENT_STREAM",
  /** A pending request was answered already, or never existed. */
  "REQUEST_NOT_PENDING",
  /** A permission or ask-user handler threw; the request was answered with cancel. */
  "HANDLER_FAILED",
  /** The output does not match the requested format. */
  "STRUCTURED_OUTPUT_INVALID",
  /** A child process could not be started. */
  "PROCESS_START_FAILED",
  /** The agent wants a person to log in before it works; the message names the command. */
  "AGENT_LOGIN_REQUIRED",
  /** A child process keeps ending. */
  "AGENT_UNSTABLE",
  /** The agent no longer had the conversation of its session, and began a new one. */
  "CONVERSATION_LOST",
  /** The daemon no longer has the variables that a session was made with. */
  "SESSION_ENV_LOST",
  /** The store failed in another way. */
  "STORAGE_FAILED",
  /** An option of the public API is wrong; the message names it and the accepted values. */
  "INVALID_OPTION",
  /** The caller's signal was aborted with a reason that is not an Error. */
  "ABORTED",
  /** A bug of ours; please report it. */
  "INTERNAL",
] as const;

/** Stable code of a failure. See docs/errors.md. */
export type DaemonErrorCode = (typeof RETRYABLE)[number] | (typeof FINAL)[number];

const RETRYABLE_CODES: ReadonlySet<DaemonErrorCode> = new Set(RETRYABLE);

/** Every code with its `retryable`, for documentation and tests. */
export const DAEMON_ERROR_CODES = /* @__PURE__ */ (() =>
  Object.fromEntries(
    [...RETRYABLE, ...FINAL].map((code) => [code, { retryable: RETRYABLE_CODES.has(code) }]),
  ) as Readonly<Record<DaemonErrorCode, { readonly retryable: boolean }>>)();

const BRANDS = Symbol.for("daemon-sdk.errors");

/**
 * Base of every error this project throws.
 *
 * `instanceof` works across copies of the package (ESM beside CommonJS, bundled beside installed), because it reads a
 * brand and not the prototype. `code` is stable; `retryable` is true when the same call can succeed later, unchanged.
 */
export class DaemonError extends Error {
  static readonly brand: string = "DaemonError";
  readonly code: DaemonErrorCode;
  readonly retryable: boolean;

  constructor(code: DaemonErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.brand;
    this.code = code;
    this.retryable = RETRYABLE_CODES.has(code);
    Object.defineProperty(this, BRANDS, { value: brandsOf(new.target) });
  }

  /** Whether `value` is an error of this class (and has `code`, when one is given), whichever copy of the package made it. */
  static is<Class extends ErrorClass>(
    this: Class,
    value: unknown,
    code?: DaemonErrorCode,
  ): value is InstanceType<Class> {
    // biome-ignore lint/complexity/noThisInStatic: `this` is the subclass on which `is` was called, which is the point.
    if (!hasBrand(value, this.brand)) return false;
    return code === undefined || (value as DaemonError).code === code;
  }

  static override [Symbol.hasInstance](this: ErrorClass, value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: as above.
    return hasBrand(value, this.brand);
  }
}

type ErrorClass = { readonly brand: string; readonly prototype: object } & (abstract new (...args: never[]) => unknown);

function hasBrand(value: unknown, brand: string): boolean {
  if (typeof value !== "object" || value === null) return false;
  const brands: unknown = Reflect.get(value, BRANDS);
  return Array.isArray(brands) && brands.includes(brand);
}

function brandsOf(target: { readonly brand: string }): readonly string[] {
  const brands: string[] = [];
  let current: unknown = target;
  while (typeof current === "function" && "brand" in current) {
    brands.push(String(current.brand));
    current = Object.getPrototypeOf(current);
  }
  return brands;
}

/** The connection could not be made, was refused, broke, or is closed. */
export class ConnectionError extends DaemonError {
  static override readonly brand: string = "ConnectionError";
}

/** The peer answered with an error, or sent something that the wire does not allow. */
export class ProtocolError extends DaemonError {
  static override readonly brand: string = "ProtocolError";
  /** JSON-RPC error code as the peer sent it; absent when the fault was found on this side. */
  readonly rpcCode: number | undefined;
  /** `error.data` as the peer sent it. */
  readonly data: unknown;
  /** `error.message` as the peer sent it, without what this side added; absent as `rpcCode` is. */
  readonly peerMessage: string | undefined;

  constructor(
    code: DaemonErrorCode,
    message: string,
    options?: ErrorOptions & { rpcCode?: number; data?: unknown; peerMessage?: string },
  ) {
    super(code, message, options);
    this.rpcCode = options?.rpcCode;
    this.data = options?.data;
    this.peerMessage = options?.peerMessage;
  }
}

/** The session cannot do what the call requests. */
export class SessionError extends DaemonError {
  static override readonly brand: string = "SessionError";
  readonly sessionId: string | undefined;

  constructor(code: DaemonErrorCode, message: string, options?: ErrorOptions & { sessionId?: string | undefined }) {
    super(code, message, options);
    this.sessionId = options?.sessionId;
  }
}

/** The daemon has no session of that id (wire code -32004). */
export class SessionNotFoundError extends SessionError {
  static override readonly brand: string = "SessionNotFoundError";

  constructor(sessionId: string, options?: ErrorOptions) {
    super("SESSION_NOT_FOUND", `No session ${sessionId}. List the known ones with listAvailableSessions().`, {
      ...options,
      sessionId,
    });
  }
}

/** Another machine of the fleet has the session (`data.code` SESSION_MOVED). `fleet.resumeSession` finds it. */
export class SessionMovedError extends SessionError {
  static override readonly brand: string = "SessionMovedError";
  /** The machine that has it, as far as the one that was asked knows. */
  readonly machineId: string;

  constructor(sessionId: string, machineId: string, options?: ErrorOptions) {
    super("SESSION_MOVED", `Session ${sessionId} is on machine ${machineId} now.`, { ...options, sessionId });
    this.machineId = machineId;
  }
}

/** A second `stream()` on a session whose first one still runs. */
export class ConcurrentStreamError extends SessionError {
  static override readonly brand: string = "ConcurrentStreamError";

  constructor(sessionId: string) {
    super(
      "CONCURRENT_STREAM",
      `A stream runs on session ${sessionId} already. Finish it, leave its loop, or use send() to queue a message.`,
      { sessionId },
    );
  }
}

/** No answer in time. The peer may still act on the request. */
export class TimeoutError extends DaemonError {
  static override readonly brand: string = "TimeoutError";
  readonly timeoutMs: number;

  constructor(what: string, timeoutMs: number, options?: ErrorOptions & { code?: DaemonErrorCode }) {
    super(options?.code ?? "REQUEST_TIMEOUT", `${what} timed out after ${timeoutMs} ms.`, options);
    this.timeoutMs = timeoutMs;
  }
}

/** A child process ended, or could not be started. */
export class ProcessExitError extends DaemonError {
  static override readonly brand: string = "ProcessExitError";
  readonly exitCode: number | null;
  readonly signal: string | null;

  constructor(
    message: string,
    options: ErrorOptions & { exitCode: number | null; signal: string | null; code?: DaemonErrorCode },
  ) {
    super(options.code ?? "PROCESS_EXITED", message, options);
    this.exitCode = options.exitCode;
    this.signal = options.signal;
  }
}

/** A wrong option of the public API, found before anything was sent. */
export class InvalidOptionError extends DaemonError {
  static override readonly brand: string = "InvalidOptionError";
  /** Dotted name of the option, such as `machine.computerId`. */
  readonly option: string;

  constructor(option: string, expected: string, got?: unknown) {
    const seen = got === undefined ? "" : `, got ${describeValue(got)}`;
    super("INVALID_OPTION", `Option \`${option}\` must be ${expected}${seen}.`);
    this.option = option;
  }
}

/** Type or short literal of a value, never its whole content: options may hold secrets. */
function describeValue(value: unknown): string {
  if (value === null || typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** The reason of an aborted signal as something to throw: itself when it is an Error, else wrapped. */
export function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  if (reason instanceof Error) return reason;
  return new DaemonError("ABORTED", typeof reason === "string" ? reason : "Operation aborted.");
}
