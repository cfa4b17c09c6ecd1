import {
  type GetMetricsResult,
  METHODS,
  type OpenConsoleResult,
  type ParamsOf,
  type ReloadConfigurationResult,
  type ResultOf,
  type TraceContext,
} from "@daemon-sdk/protocol";
import { METHOD_SCHEMAS, type MethodSchemas } from "@daemon-sdk/protocol/schema";
import type { Principal, Tickets } from "../../access/index.js";
import type { SessionHost } from "../../sessions/index.js";
import type { LargePrompt } from "../../turns/index.js";
import type { AttachedClient } from "../attached-client.js";
import type { ReachableSessions } from "../reachable-sessions.js";

/** One request of an authenticated client. */
export interface Call {
  /** Id of the request; notifications that it leads to repeat it. */
  readonly requestId: string;
  /** The whole params of a large call, of which the handler's are then the outline. */
  readonly large?: LargePrompt | undefined;
  /** The trace of the client. */
  readonly trace: TraceContext | undefined;
  readonly client: AttachedClient;
  /** The sessions that this client may know of. Never look one up by an id of the client's in `host`. */
  readonly sessions: ReachableSessions;
  readonly host: SessionHost;
  readonly tickets: Tickets;
  readonly reload: Reload;
  readMetrics(): GetMetricsResult;
  readonly openConsole: OpenConsole;
  /**
   * Does `work`, which reads history, in the turn of the client's principal. Rejects with `QUEUE_FULL` when too many reads of the
   * principal wait.
   */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** Serves the console, and makes a link that opens it once with the rights of the principal. */
export type OpenConsole = (principal: Principal) => Promise<OpenConsoleResult>;

/** What a reload of the configuration changes; applies it unless `check`. Rejects with `INVALID_OPTION` for a faulty file. */
export type Reload = (check: boolean) => Promise<ReloadConfigurationResult>;

/** A result that is JSON already, and has the type that the table of methods states. */
export class WrittenResult {
  readonly json: string;

  constructor(json: string) {
    this.json = json;
  }
}

/** What a request is answered with. */
export interface Answer<Result = object> {
  readonly result: Result | WrittenResult;
  /** Called right after the answer was sent. */
  after?(): void;
  /** Called instead of `after` when the answer is too large for a message: the call has failed, and leaves nothing behind. */
  undo?(): void;
}

/** A method of the wire, ready to be called with params that its schema has passed. */
export interface Handler {
  readonly name: string;
  readonly params: MethodSchemas["params"];
  /** Whether the call has to wait before it is run, by its params. */
  waitsFor?(params: unknown): boolean;
  /** Resolves when the call may be run, or when `ending` is aborted: the client has gone or logs out. */
  wait?(params: unknown, call: Call, ending: AbortSignal): Promise<void>;
  run(params: unknown, call: Call): Promise<Answer> | Answer;
}

type Methods = typeof METHODS;

/** A stage of a call before its answer is made. */
export interface Wait<Key extends keyof Methods> {
  waitsFor(params: ParamsOf<Methods[Key]>): boolean;
  wait(params: ParamsOf<Methods[Key]>, call: Call, ending: AbortSignal): Promise<void>;
}

/** Ties one method of the table to what answers it; params and result are those of the table. */
export function handle<Key extends keyof Methods>(
  key: Key,
  run: (
    params: ParamsOf<Methods[Key]>,
    call: Call,
  ) => Promise<Answer<ResultOf<Methods[Key]>>> | Answer<ResultOf<Methods[Key]>>,
  wait?: Wait<Key>,
): Handler {
  return {
    ...(wait as Wait<never> | undefined),
    name: METHODS[key].name,
    params: METHOD_SCHEMAS[key].params,
    // The schema of the same key has passed them.
    run: (params, call) => run(params as ParamsOf<Methods[Key]>, call) as Promise<Answer> | Answer,
  };
}
