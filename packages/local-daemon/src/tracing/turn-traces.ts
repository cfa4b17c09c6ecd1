import { type TraceContext, traceContextOf } from "@daemon-sdk/protocol";
import type { Context, Span, Tracer } from "@opentelemetry/api";
import type { ObservedTurn, TurnPlace } from "../turns/index.js";
import { LOCAL_DAEMON_VERSION } from "../version.js";
import type { OtelApi } from "./otel.js";

/** The spans of one turn that have not ended. */
interface TurnSpans {
  readonly turn: Span;
  /** The turn's span as the parent of others. */
  readonly context: Context;
  /** The part that runs: the wait for the agent, then the agent's work. */
  part: Span;
}

/**
 * The spans of turns, as children of what the client sent with the message: `turn`, and in it `turn.wait` (queue and start of the
 * agent) and `turn.agent`, whose context the agent gets.
 */
export class TurnTraces {
  readonly #otel: OtelApi;
  readonly #tracer: Tracer;
  readonly #spans = new WeakMap<ObservedTurn, TurnSpans>();

  constructor(otel: OtelApi) {
    this.#otel = otel;
    this.#tracer = otel.trace.getTracer("@daemon-sdk/local-daemon", LOCAL_DAEMON_VERSION);
  }

  accepted(turn: ObservedTurn, place: TurnPlace): void {
    this.#spans.set(turn, this.#begin(turn, place));
  }

  /** Returns the context that the agent's own spans belong to. */
  handed(turn: ObservedTurn, place: TurnPlace): TraceContext | undefined {
    const { trace, SpanKind, propagation } = this.#otel;
    // A message that an earlier daemon accepted has none yet.
    const spans = this.#spans.get(turn) ?? this.#begin(turn, place);
    this.#spans.set(turn, spans);
    spans.part.end(turn.handedAt);
    const options = { kind: SpanKind.CLIENT, ...startAt(turn.handedAt), attributes: { "agent.name": place.agentName } };
    spans.part = this.#tracer.startSpan("turn.agent", options, spans.context);
    const carrier: Partial<TraceContext> = {};
    propagation.inject(trace.setSpan(spans.context, spans.part), carrier);
    return traceContextOf(carrier);
  }

  ended(turn: ObservedTurn): void {
    const spans = this.#spans.get(turn);
    if (spans === undefined) return;
    this.#spans.delete(turn);
    const { reason = "", endedAt } = turn.row;
    spans.part.end(endedAt);
    spans.turn.setAttribute("turn.reason", reason);
    const { SpanStatusCode } = this.#otel;
    const isError = reason !== "completed" && reason !== "cancelled";
    if (isError) spans.turn.setStatus({ code: SpanStatusCode.ERROR, message: reason });
    spans.turn.end(endedAt);
  }

  #begin({ row }: ObservedTurn, { agentName }: TurnPlace): TurnSpans {
    const { trace, propagation, ROOT_CONTEXT, SpanKind } = this.#otel;
    const parent = row.trace === undefined ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, row.trace);
    const attributes = { "session.id": row.sessionId, "message.id": row.id, "agent.name": agentName };
    const start = startAt(row.createdAt);
    const turn = this.#tracer.startSpan("turn", { kind: SpanKind.CONSUMER, attributes, ...start }, parent);
    const context = trace.setSpan(parent, turn);
    return { turn, context, part: this.#tracer.startSpan("turn.wait", start, context) };
  }
}

function startAt(startTime: number | undefined): { startTime?: number } {
  return startTime === undefined ? {} : { startTime };
}
