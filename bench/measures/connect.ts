import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectDaemon } from "@daemon-sdk/client";
import { WebSocket } from "ws";
import { type Contestant, type Measure, quantile } from "../measure.js";
import { startRole } from "../roles/role.js";

const CONNECTS = 100;
const RAW = "ws: connect and one message";
const UNIX = "connectDaemon() over the unix socket";
const TCP = "connectDaemon() over TCP, with a proof";

/** Connect and authenticate, as a program on this machine does, beside a WebSocket whose first message is answered. */
export const connecting: Measure = {
  name: "connect",
  title: "Connect and authenticate, p50",
  unit: "µs",
  better: "less",
  limit: RAW,
  bars: [
    { contestant: UNIX, of: RAW, atMost: 1.5 },
    { contestant: TCP, of: RAW, atMost: 2 },
  ],
  async open() {
    const stateDir = mkdtempSync(join(tmpdir(), "daemon-sdk-bench-"));
    process.env.DAEMON_SDK_HOME = stateDir;
    const echo = await startRole("echo");
    const daemon = await startRole("daemon", stateDir);
    const daemonPort = Number(daemon.ready.port);
    return {
      contestants: [
        contestant(RAW, () => openRaw(Number(echo.ready.port))),
        contestant(UNIX, () => connectDaemon()),
        contestant(TCP, () => connectDaemon({ daemonPort })),
      ],
      async close() {
        await Promise.all([echo.stop(), daemon.stop()]);
        rmSync(stateDir, { recursive: true, force: true });
      },
    };
  },
};

interface Closable {
  close(): unknown;
}

function contestant(name: string, connect: () => Promise<Closable>): Contestant {
  return {
    name,
    async round() {
      const figures: number[] = [];
      for (let made = 0; made < CONNECTS; made += 1) {
        const started = performance.now();
        const connection = await connect();
        figures.push((performance.now() - started) * 1000);
        await connection.close();
      }
      return quantile(figures, 0.5);
    },
  };
}

async function openRaw(port: number): Promise<Closable> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  await once(socket, "open");
  const answered = once(socket, "message");
  socket.send("hello");
  await answered;
  return {
    close() {
      const closed = once(socket, "close");
      socket.close();
      return closed;
    },
  };
}
