import { type TraceContext, traceContextOf } from "@daemon-sdk/protocol";
import { type CallTracing, CLIENT_VERSION } from "../base/index.js";

type OtelApi = typeof import("@opentelemetry/api");

/** Under which the API keeps what an SDK registers; each copy of version 1 of the API has the same. */
const REGISTRY = Symbol.for("opentelemetry.js.api.1");

/** Calls that begin work, or that answer what an agent asked. Lists, reads and checks have no spans: there are many of them. */
const TRACED: ReadonlySet<string> = new Set([
  ...["initialize_session", "load_session", "add_user_message", "interrupt_session", "answer_request"],
]);

/**
 * Makes spans with OpenTelemetry, where an SDK was registered in this process before the connection is made. Nothing is loaded
 * elsewhere.
 */
export async function loadOtelTracing(): Promise<CallTracing | undefined> {
  if (!(REGISTRY in globalThis)) return undefined;
  const otel = await loadApi();
  return otel && { begin: (method, params) => (TRACED.has(method) ? begin(otel, method, params) : undefined) };
}

/** Bundlers go on without a module that is missing where its `import()` stands in a `try`, and only there. */
async function loadApi(): Promise<OtelApi | undefined> {
  try {
    const api = await import("@opentelemetry/api");
    // A CommonJS module may come with its names in `default` alone.
    return "trace" in api ? api : (api as { default: OtelApi }).default;
  } catch {
    return undefined;
  }
}

function begin(otel: OtelApi, method: string, params: object): ReturnType<CallTracing["begin"]> {
  const { trace, context, propagation, SpanKind, SpanStatusCode } = otel;
  const { sessionId, messageId } = params as { sessionId?: string; messageId?: string };
  const attributes = {
    "rpc.system": "jsonrpc",
    "rpc.method": `daemon.${method}`,
    ...(sessionId === undefined ? {} : { "session.id": sessionId }),
    ...(messageId === undefined ? {} : { "message.id": messageId }),
  };
  // A turn goes on after its message was acknowledged.
  const kind = method === "add_user_message" ? SpanKind.PRODUCER : SpanKind.CLIENT;
  const tracer = trace.getTracer("@daemon-sdk/client", CLIENT_VERSION);
  const span = tracer.startSpan(`daemon.${method}`, { kind, attributes });
  const carrier: Partial<TraceContext> = {};
  propagation.inject(trace.setSpan(context.active(), span), carrier);
  return {
    trace: traceContextOf(carrier),
    end(error) {
      if (error !== undefined) {
        const message = error instanceof Error ? error.message : String(error);
        span.setStatus({ code: SpanStatusCode.ERROR, message });
      }
      span.end();
    },
  };
}
