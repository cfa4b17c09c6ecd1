import { connectDaemon, type DaemonSession } from "@daemon-sdk/client";
import { WebSocket } from "ws";
import type { Measure } from "../measure.js";
import { BENCH_KEY } from "../roles/daemon.js";
import { startRole } from "../roles/role.js";

const EVENTS = 60_000;

/** An agent's pipe → daemon → journal on disk → socket → `stream()`, beside the same path made by hand without a journal. */
export const wholePath: Measure = {
  name: "whole-path",
  title: "Whole path: agent's pipe to stream(), deltas of about 300 bytes",
  unit: "events/s",
  better: "more",
  limit: "hand-made pipe, no journal",
  async open() {
    const daemon = await startRole("daemon");
    const hub = await startRole("pipe-hub");
    const connection = await connectDaemon({ url: `ws://127.0.0.1:${daemon.ready.port}`, apiKey: BENCH_KEY });
    const session = await connection.createSession({ cwd: process.cwd() });
    const socket = await openRaw(Number(hub.ready.port));
    return {
      contestants: [
        { name: "hand-made pipe, no journal", round: () => handMade(socket) },
        { name: "stream() on our daemon", round: () => ours(session) },
      ],
      async close() {
        socket.close();
        await session.close();
        await connection.close();
        await Promise.all([daemon.stop(), hub.stop()]);
      },
    };
  },
};

async function ours(session: DaemonSession): Promise<number> {
  const started = performance.now();
  let deltas = 0;
  for await (const event of session.stream(String(EVENTS), { includePartialMessages: true })) {
    if (event.type === "assistant_text_delta") deltas += 1;
  }
  if (deltas !== EVENTS) throw new Error(`The stream gave ${deltas} deltas of ${EVENTS}.`);
  return perSecond(EVENTS, started);
}

function handMade(socket: WebSocket): Promise<number> {
  return new Promise((resolve) => {
    const started = performance.now();
    let events = 0;
    socket.removeAllListeners("message");
    socket.on("message", (data) => {
      const { params } = JSON.parse(String(data)) as { params: { notification: { textDelta: string } } };
      if (params.notification.textDelta) events += 1;
      if (events === EVENTS) resolve(perSecond(EVENTS, started));
    });
    socket.send(String(EVENTS));
  });
}

function openRaw(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(socket));
    socket.once("error", reject);
  });
}

function perSecond(count: number, started: number): number {
  return (count / (performance.now() - started)) * 1000;
}
