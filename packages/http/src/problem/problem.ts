import { DaemonError, type DaemonErrorCode, ProtocolError } from "@daemon-sdk/protocol";
import { STATUS_OF_CODE } from "./status.js";

/** The body of every answer that is no success, as RFC 9457 defines it. */
export interface Problem {
  /** `urn:daemon-sdk:error:` and the code. */
  type: string;
  /** For people. May change. */
  title: string;
  status: number;
  /** For people: what happened, and what to do. Holds no credential. */
  detail: string;
  /** Stable code of the failure; docs/errors.md lists all of them. */
  code: DaemonErrorCode;
  /** Whether the same request can succeed later, unchanged. */
  retryable: boolean;
  /** The valid answer of a request that is no longer pending. */
  outcome?: unknown;
}

/** Prefix of {@link Problem.type}. */
const PROBLEM_TYPE = "urn:daemon-sdk:error:";

const MEDIA_TYPE = "application/problem+json";

/** A refusal of the gateway itself, with a status that differs from the one of its code. */
export class HttpRefusal extends ProtocolError {
  static override readonly brand: string = "HttpRefusal";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: DaemonErrorCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(code, message);
    this.status = status;
    this.headers = headers;
  }
}

/** The answer for a failure. What is no {@link DaemonError} is a bug: its text is not sent, because it may hold anything. */
export function problemResponse(error: unknown): Response {
  const known = DaemonError.is(error) ? error : undefined;
  const code = known?.code ?? "INTERNAL";
  const status = HttpRefusal.is(error) ? error.status : STATUS_OF_CODE[code];
  const problem: Problem = {
    type: `${PROBLEM_TYPE}${code}`,
    title: TITLES.get(status) ?? "Failed",
    status,
    detail: known?.message ?? "The request failed for a reason that the log of the server states.",
    code,
    retryable: known?.retryable ?? false,
    ...(outcomeOf(error) ?? {}),
  };
  const headers = { ...challengeOf(status), ...pauseOf(problem), ...(HttpRefusal.is(error) ? error.headers : {}) };
  return new Response(JSON.stringify(problem), {
    status,
    headers: { "content-type": MEDIA_TYPE, "cache-control": "no-store", ...headers },
  });
}

const TITLES: ReadonlyMap<number, string> = new Map([
  [400, "Invalid request"],
  [401, "Not authenticated"],
  [403, "Not allowed"],
  [404, "Not found"],
  [405, "Method not allowed"],
  [409, "Conflict"],
  [410, "Gone"],
  [413, "Too large"],
  [415, "Unsupported media type"],
  [422, "Not as requested"],
  [429, "Too many requests"],
  [500, "Internal error"],
  [501, "Not offered"],
  [502, "The daemon or its agent failed"],
  [503, "The daemon cannot be reached, or accepts no work"],
  [504, "No answer in time"],
  [507, "No storage left"],
]);

function challengeOf(status: number): Record<string, string> {
  return status === 401 ? { "www-authenticate": "Bearer" } : {};
}

function pauseOf({ status, retryable }: Problem): Record<string, string> {
  return retryable && (status === 429 || status === 503) ? { "retry-after": "1" } : {};
}

function outcomeOf(error: unknown): { outcome: unknown } | undefined {
  if (!ProtocolError.is(error, "REQUEST_NOT_PENDING")) return undefined;
  const outcome: unknown = Object(error.data).outcome;
  return outcome === undefined ? undefined : { outcome };
}
