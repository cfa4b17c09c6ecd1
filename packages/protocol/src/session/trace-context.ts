import type { EnvelopeMeta, TraceContext } from "./envelope.js";

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
/** What W3C Trace Context asks everybody to pass on. */
const TRACESTATE_CHARS = 512;

/**
 * The trace that a frame belongs to; undefined for a frame of none, or with a `traceparent` that is none. A `tracestate` that is too
 * long is left out: the trace is the same without it.
 */
export function traceContextOf(meta: EnvelopeMeta | undefined): TraceContext | undefined {
  const { traceparent, tracestate } = meta ?? {};
  if (traceparent === undefined || !TRACEPARENT.test(traceparent)) return undefined;
  const hasState = tracestate !== undefined && tracestate !== "" && tracestate.length <= TRACESTATE_CHARS;
  return hasState ? { traceparent, tracestate } : { traceparent };
}
