import type { TraceContext } from "@daemon-sdk/protocol";

/** The span of one call, from its begin to its answer over all links. */
export interface CallSpan {
  /** What the daemon's spans belong to. */
  readonly trace: TraceContext | undefined;
  /** Ends the span; with an error when the call failed. */
  end(error?: unknown): void;
}

/** Makes spans of calls. */
export interface CallTracing {
  /** Begins the span of a call, within the span that is active now; undefined for calls that have none. */
  begin(method: string, params: object): CallSpan | undefined;
}

/** Loads what makes spans; undefined where the process has no tracing. */
export type LoadCallTracing = () => Promise<CallTracing | undefined>;
