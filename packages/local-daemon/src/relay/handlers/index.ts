import type { AckPayload } from "@daemon-sdk/protocol/relay";
import type { RelayPeer } from "../names/index.js";
import type { HandlerGroup } from "../router.js";
import { SpawnManager } from "../workers/index.js";
import { agentQueryHandlers } from "./agent-queries.js";
import { BlockingSends } from "./blocking-sends.js";
import { channelHandlers } from "./channels.js";
import { daemonQueryHandlers } from "./daemon-queries.js";
import { fromElsewhere } from "./from-elsewhere.js";
import { logHandlers } from "./logs.js";
import { messageQueryHandlers } from "./message-queries.js";
import type { RelayParts } from "./relay-parts.js";
import { recipientsHere, sendHandlers } from "./sends.js";
import { shadowHandlers } from "./shadows.js";
import { spawnHandlers } from "./spawning.js";
import { topicHandlers } from "./topics.js";

export type { RelayParts } from "./relay-parts.js";
export { recipientsHere };

/** Every handler of the relay. One type has one handler. */
export function handlerGroups(parts: RelayParts): HandlerGroup[] {
  const { channels, shadows, spawning, logger } = parts;
  const blocking = new BlockingSends({ maxFrameBytes: parts.limits.relayFrameBytes });
  const acknowledge = (peer: RelayPeer, ack: AckPayload) => {
    if (!blocking.answer(peer, ack)) parts.exchange.acknowledge(peer.name, ack);
  };
  parts.exchange.onEnvelope = (envelope) => fromElsewhere(envelope, { ...parts, blocking });
  const manager = spawning === undefined ? undefined : new SpawnManager({ ...parts, ...spawning, acknowledge });
  const workers = () => manager?.list() ?? [];
  return [
    spawnHandlers(logger, manager),
    sendHandlers({ ...parts, blocking }),
    topicHandlers(parts),
    channelHandlers(channels),
    shadowHandlers(shadows),
    logHandlers(parts),
    messageQueryHandlers(parts),
    agentQueryHandlers({ ...parts, workers, endWorker: async (name) => void (await manager?.end(name)) }),
    daemonQueryHandlers({ ...parts, workers }),
  ];
}
