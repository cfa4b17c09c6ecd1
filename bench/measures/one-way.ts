import { connectDaemon } from "@daemon-sdk/client";
import type { Contestant, Measure } from "../measure.js";
import { type OpenPeer, openPeers, PEERS } from "../roles/peers.js";
import { startRole } from "../roles/role.js";
import type { Lane } from "./lanes.js";
import { ourLane, RAW, rawLane } from "./routing.js";

const EVENTS = 50_000;
const CALLBACK = "our client, onNotification()";
const STREAM = "our client, stream()";
const callback = (peer: { name: string }) => `${peer.name}, callback`;
const iterator = (peer: { name: string }) => `${peer.name}, iterator`;

/**
 * Events of a server that does nothing else, to the callback or the loop of each client: to ours in batches, as our daemon sends what is
 * committed together, to each peer as that one sends.
 */
export const oneWay: Measure = {
  name: "one-way",
  title: "Events of one session to a client's callback or loop, about 300 bytes",
  unit: "events/s",
  better: "more",
  limit: RAW,
  bars: [
    { contestant: CALLBACK, of: RAW, atLeast: 0.85 },
    { contestant: STREAM, of: RAW, atLeast: 0.75 },
    { contestant: CALLBACK, of: callback(PEERS.nats), atLeast: 1 },
    { contestant: STREAM, of: iterator(PEERS.nats), atLeast: 1 },
    { contestant: CALLBACK, of: callback(PEERS.socketIo), atLeast: 3 },
    { contestant: CALLBACK, of: callback(PEERS.graphqlWs), atLeast: 3 },
  ],
  async open() {
    const { open, absent } = await openPeers([
      PEERS.nats,
      PEERS.socketIo,
      PEERS.graphqlWs,
      PEERS.vscodeJsonrpc,
      PEERS.acp,
    ]);
    const lanes = [await rawLane(1, RAW), await ourLane(1, CALLBACK, "batches"), await streamLane()];
    return {
      contestants: [...lanes.map((lane) => lane.contestant), ...open.flatMap(contestantsOf)],
      absent,
      async close() {
        await Promise.all([...lanes, ...open].map((one) => one.close()));
      },
    };
  },
};

async function streamLane(): Promise<Lane> {
  const feed = await startRole("feed", "batches");
  const connection = await connectDaemon({ url: `ws://127.0.0.1:${feed.ready.port}`, apiKey: "any" });
  const session = await connection.createSession({ cwd: "/" });
  return {
    contestant: {
      name: STREAM,
      async round() {
        const started = performance.now();
        let deltas = 0;
        for await (const event of session.stream(String(EVENTS), { includePartialMessages: true })) {
          if (event.type === "assistant_text_delta") deltas += 1;
        }
        return perSecond(deltas, started);
      },
    },
    async close() {
      await connection.close();
      await feed.stop();
    },
  };
}

function contestantsOf({ peer, client }: OpenPeer): Contestant[] {
  const { flood, floodIterated } = client;
  return [
    ...(flood === undefined ? [] : [{ name: callback(peer), round: () => flooded(flood.bind(client)) }]),
    ...(floodIterated === undefined
      ? []
      : [{ name: iterator(peer), round: () => flooded(floodIterated.bind(client)) }]),
  ];
}

function flooded(flood: (count: number, onEvent: () => void) => unknown): Promise<number> {
  return new Promise((resolve) => {
    const started = performance.now();
    let missing = EVENTS;
    flood(EVENTS, () => {
      missing -= 1;
      if (missing === 0) resolve(perSecond(EVENTS, started));
    });
  });
}

function perSecond(count: number, started: number): number {
  return (count / (performance.now() - started)) * 1000;
}
