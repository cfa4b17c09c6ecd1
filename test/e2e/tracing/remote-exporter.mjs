/**
 * Registers OpenTelemetry in a process whose spans are sent to TRACE_SOCKET, one JSON object a line. For `node --import`, as a person
 * would set up a daemon, and for the agent of the test.
 */
import { connect } from "node:net";
import { NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";

const { TRACE_SOCKET: path } = process.env;
const socket = connect(path).unref();
socket.on("error", () => {});

const exporter = {
  export(spans, done) {
    for (const span of spans) {
      const { traceId, spanId } = span.spanContext();
      const { name, kind, attributes, parentSpanContext, startTime, endTime, status } = span;
      const parentSpanId = parentSpanContext?.spanId;
      socket.write(
        `${JSON.stringify({ pid: process.pid, name, kind, attributes, traceId, spanId, parentSpanId, startTime, endTime, status })}\n`,
      );
    }
    done({ code: 0 });
  },
  shutdown: () => Promise.resolve(),
};

new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
