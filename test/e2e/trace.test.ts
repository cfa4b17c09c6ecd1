import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { connectDaemon } from "@daemon-sdk/client";
import { SpanKind, trace } from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import { expect, test, vi } from "vitest";
import { startDaemonProcess } from "../support/daemon-process.js";

const file = (name: string) => fileURLToPath(new URL(`./tracing/${name}`, import.meta.url));

/** A span of another process, as it sends it. */
interface SentSpan {
  readonly pid: number;
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Record<string, unknown>;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
}

/** An exporter in memory that also gets the spans of other processes, over a socket. */
async function collector() {
  const directory = mkdtempSync(join(tmpdir(), "daemon-sdk-trace-"));
  const path = join(directory, "spans.sock");
  const exporter = new InMemorySpanExporter();
  const server = createServer((socket) => {
    createInterface({ input: socket }).on("line", (line) => {
      const sent: SentSpan = JSON.parse(line);
      const span = { ...sent, spanContext: () => sent, parentSpanContext: { spanId: sent.parentSpanId } };
      exporter.export([span as unknown as ReadableSpan], () => {});
    });
  }).listen(path);
  await once(server, "listening");
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  provider.register();
  return {
    path,
    spans: () => exporter.getFinishedSpans() as (ReadableSpan & { readonly pid?: number })[],
    [Symbol.dispose]() {
      trace.disable();
      server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

test("a prompt from a service through the daemon to its agent and back is one trace", async () => {
  using collected = await collector();
  vi.stubEnv("TRACE_SOCKET", collected.path);
  vi.stubEnv("NODE_OPTIONS", `--import=${pathToFileURL(file("remote-exporter.mjs")).href}`);
  const command = [process.execPath, file("traced-agent.mjs")];
  await using daemon = await startDaemonProcess({
    agents: { traced: { command, inheritEnv: ["TRACE_SOCKET"] } },
    defaultAgent: "traced",
  });
  vi.unstubAllEnvs();
  await using connection = await connectDaemon();
  await trace.getTracer("service").startActiveSpan("answer a user", async (span) => {
    await using session = await connection.createSession({ cwd: daemon.workspace });
    for await (const _event of session.stream("hello")) {
      // To its end.
    }
    span.end();
  });
  await vi.waitFor(() =>
    expect(collected.spans().map(({ name }) => name)).toEqual(expect.arrayContaining(["turn", "think"])),
  );
  const spans = collected.spans();
  expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(1);
  const nameOf = new Map(spans.map((span) => [span.spanContext().spanId, span.name]));
  const parents = spans.map(({ name, parentSpanContext }) => [name, nameOf.get(parentSpanContext?.spanId ?? "")]);
  expect(Object.fromEntries(parents)).toEqual({
    "answer a user": undefined,
    "daemon.initialize_session": "answer a user",
    "daemon.add_user_message": "answer a user",
    turn: "daemon.add_user_message",
    "turn.wait": "turn",
    "turn.agent": "turn",
    think: "turn.agent",
  });
  const turn = spans.find(({ name }) => name === "turn");
  expect(turn).toMatchObject({ pid: daemon.pid, kind: SpanKind.CONSUMER });
  expect(turn?.attributes).toMatchObject({ "agent.name": "traced", "turn.reason": "completed" });
});
