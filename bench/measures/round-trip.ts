import { connectDaemon } from "@daemon-sdk/client";
import { WebSocket } from "ws";
import { type Contestant, type Measure, type OpenMeasure, quantile, type Round } from "../measure.js";
import { BENCH_KEY } from "../roles/daemon.js";
import { openPeers, PEERS } from "../roles/peers.js";
import { startRole } from "../roles/role.js";

const REQUESTS = 1_000;
const PIPELINED = 10_000;
const AT_ONCE = 100;
const ECHO_BYTES = 200;
const ECHO = `raw ws echo, ${ECHO_BYTES} bytes`;
const OURS = "listOpenedSessions() on our daemon";
const JSON_RPC_PEERS = [PEERS.vscodeJsonrpc, PEERS.mcp, PEERS.acp];

/** One request after the other: a list of our daemon's sessions, beside an echo over a raw WebSocket. */
export const roundTrip: Measure = {
  name: "round-trip",
  title: "Round trip: one request after the other, p50",
  unit: "µs",
  better: "less",
  limit: ECHO,
  bars: [{ contestant: OURS, of: ECHO, atMost: 1.5 }],
  open: () => openCalls(oneAfterTheOther),
};

/** A hundred requests under way at a time. */
export const pipelined: Measure = {
  name: "pipelined",
  title: `Pipelined: ${AT_ONCE} requests under way at a time`,
  unit: "requests/s",
  better: "more",
  limit: ECHO,
  bars: JSON_RPC_PEERS.map(({ name }) => ({ contestant: OURS, of: name, atLeast: 1 })),
  open: () => openCalls(manyAtOnce),
};

type Call = () => Promise<unknown>;

async function openCalls(roundOf: (call: Call) => Contestant["round"]): Promise<OpenMeasure> {
  const echo = await startRole("echo");
  const daemon = await startRole("daemon");
  const connection = await connectDaemon({ url: `ws://127.0.0.1:${daemon.ready.port}`, apiKey: BENCH_KEY });
  const socket = new WebSocket(`ws://127.0.0.1:${echo.ready.port}`, { perMessageDeflate: false });
  await new Promise((opened) => socket.once("open", opened));
  const peers = await openPeers([...JSON_RPC_PEERS, PEERS.socketIo, PEERS.graphqlWs, PEERS.nats]);
  const contestants = [
    { name: ECHO, round: roundOf(echoOver(socket)) },
    { name: OURS, round: roundOf(() => connection.listOpenedSessions()) },
    ...peers.open.map(({ peer, client }) => ({ name: peer.name, round: roundOf(() => client.call()) })),
  ];
  return {
    contestants,
    absent: peers.absent,
    async close() {
      socket.terminate();
      await connection.close();
      await Promise.all([echo.stop(), daemon.stop(), ...peers.open.map((peer) => peer.close())]);
    },
  };
}

/** Answers come in the order of the requests. */
function echoOver(socket: WebSocket): Call {
  const text = "x".repeat(ECHO_BYTES);
  const waiting: (() => void)[] = [];
  let next = 0;
  socket.on("message", () => {
    waiting[next++]?.();
    if (next < waiting.length) return;
    waiting.length = 0;
    next = 0;
  });
  return () =>
    new Promise<void>((resolve) => {
      waiting.push(resolve);
      socket.send(text);
    });
}

function oneAfterTheOther(call: Call) {
  return async (): Promise<Round> => {
    const figures: number[] = [];
    for (let request = 0; request < REQUESTS; request += 1) {
      const started = performance.now();
      await call();
      figures.push((performance.now() - started) * 1000);
    }
    return { figure: quantile(figures, 0.5), also: { p99: quantile(figures, 0.99) } };
  };
}

function manyAtOnce(call: Call) {
  return async (): Promise<number> => {
    let left = PIPELINED;
    const lane = async () => {
      while (left-- > 0) await call();
    };
    const started = performance.now();
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    return (PIPELINED / (performance.now() - started)) * 1000;
  };
}
