import { connectDaemon } from "@daemon-sdk/client";
import { WebSocket } from "ws";
import { type Contestant, type Measure, quantile } from "../measure.js";
import { BENCH_KEY } from "../roles/daemon.js";
import { startRole } from "../roles/role.js";

const REQUESTS = 3_000;
const ECHO_BYTES = 200;

/** The median request, one after the other: a list of our daemon's sessions, beside an echo over a raw WebSocket. */
export const roundTrip: Measure = {
  name: "round-trip",
  title: "Round trip: one request after the other, p50",
  unit: "µs",
  better: "less",
  limit: `raw ws echo, ${ECHO_BYTES} bytes`,
  async open() {
    const echo = await startRole("echo");
    const daemon = await startRole("daemon");
    const connection = await connectDaemon({ url: `ws://127.0.0.1:${daemon.ready.port}`, apiKey: BENCH_KEY });
    const socket = new WebSocket(`ws://127.0.0.1:${echo.ready.port}`, { perMessageDeflate: false });
    await new Promise((opened) => socket.once("open", opened));
    const text = "x".repeat(ECHO_BYTES);
    const echoOnce = () =>
      new Promise<void>((resolve) => {
        socket.once("message", () => resolve());
        socket.send(text);
      });
    return {
      contestants: [
        contestant(`raw ws echo, ${ECHO_BYTES} bytes`, echoOnce),
        contestant("listOpenedSessions() on our daemon", () => connection.listOpenedSessions()),
      ],
      async close() {
        socket.terminate();
        await connection.close();
        await Promise.all([echo.stop(), daemon.stop()]);
      },
    };
  },
};

function contestant(name: string, once: () => Promise<unknown>): Contestant {
  return {
    name,
    async round() {
      const figures: number[] = [];
      for (let request = 0; request < REQUESTS; request += 1) {
        const started = performance.now();
        await once();
        figures.push((performance.now() - started) * 1000);
      }
      return quantile(figures, 0.5);
    },
  };
}
