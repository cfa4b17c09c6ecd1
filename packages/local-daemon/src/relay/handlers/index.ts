import { Channels, ShadowTable } from "../groups/index.js";
import type { RelayCore } from "../relay-core.js";
import type { RelayHandlers } from "../relay-services.js";
import { SpawnManager } from "../workers/index.js";
import { agentQueryHandlers } from "./agent-queries.js";
import { channelHandlers } from "./channels.js";
import { daemonQueryHandlers } from "./daemon-queries.js";
import { logHandlers } from "./logs.js";
import { messageQueryHandlers } from "./message-queries.js";
import { sendHandlers } from "./sends.js";
import { shadowHandlers } from "./shadows.js";
import { spawnHandlers } from "./spawning.js";
import { topicHandlers } from "./topics.js";

/** Every handler of the relay; the router merges them. One type has one handler. */
export function relayHandlers(core: RelayCore): RelayHandlers[] {
  const channels = new Channels(core);
  const shadows = new ShadowTable();
  const manager = spawnManager(core, channels, shadows);
  const workers = () => manager?.list() ?? [];
  return [
    sendHandlers(core),
    topicHandlers(core),
    channelHandlers(channels),
    shadowHandlers(core, shadows),
    logHandlers(core),
    messageQueryHandlers(core),
    agentQueryHandlers({ ...core, workers, onForgotten: (name) => channels.forget(name) }),
    daemonQueryHandlers({ ...core, workers }),
    spawnHandlers(core, manager),
  ];
}

function spawnManager(core: RelayCore, channels: Channels, shadows: ShadowTable): SpawnManager | undefined {
  const { spawning } = core;
  if (spawning === undefined) return undefined;
  return new SpawnManager({
    ...spawning,
    services: core,
    postInChannel: (peer, envelope) => channels.post(peer, envelope),
    bindShadow: (shadow, primaryAgent, speakOn) =>
      void shadows.bind(shadow, { primaryAgent, ...(speakOn === undefined ? {} : { speakOn }) }),
  });
}
