import type { FaultScenario } from "./scenario.js";
import { agentScenarios } from "./scenarios/agents.js";
import { badNetworkScenarios } from "./scenarios/bad-network.js";
import { byteScenarios } from "./scenarios/bytes.js";
import { cancellingScenarios } from "./scenarios/cancelling.js";
import { clockScenarios } from "./scenarios/clock-jumps.js";
import { closingScenarios } from "./scenarios/closing.js";
import { credentialScenarios } from "./scenarios/credentials.js";
import { cutScenarios } from "./scenarios/cuts.js";
import { damagedStoreScenarios } from "./scenarios/damaged-store.js";
import { drainScenarios } from "./scenarios/drain.js";
import { foreignPageScenarios } from "./scenarios/foreign-page.js";
import { fullDiskScenarios } from "./scenarios/full-disk.js";
import { fuzzScenarios } from "./scenarios/fuzz.js";
import { halfOpenScenarios } from "./scenarios/half-open.js";
import { handlerScenarios } from "./scenarios/handlers.js";
import { hostileKeyScenarios } from "./scenarios/hostile-key.js";
import { hostileTextScenarios } from "./scenarios/hostile-text.js";
import { interruptedStartScenarios } from "./scenarios/interrupted-starts.js";
import { lagOnFullDiskScenarios } from "./scenarios/lag-on-full-disk.js";
import { leakScenarios } from "./scenarios/leaks.js";
import { loadScenarios } from "./scenarios/load.js";
import { manyConnectionScenarios } from "./scenarios/many-connections.js";
import { noisyAgentScenarios } from "./scenarios/noisy-agents.js";
import { oversizeScenarios } from "./scenarios/oversize.js";
import { ownershipScenarios } from "./scenarios/ownership.js";
import { privateStateScenarios } from "./scenarios/private-state.js";
import { reattachMomentScenarios } from "./scenarios/reattach-moments.js";
import { reconnectStormScenarios } from "./scenarios/reconnect-storm.js";
import { reconnectScenarios } from "./scenarios/reconnects.js";
import { redeliveredIdScenarios } from "./scenarios/redelivered-ids.js";
import { rendezvousScenarios } from "./scenarios/rendezvous.js";
import { repeatScenarios } from "./scenarios/repeats.js";
import { restartScenarios } from "./scenarios/restarts.js";
import { searchTimeScenarios } from "./scenarios/search-times.js";
import { soakScenarios } from "./scenarios/soak.js";
import { startStormScenarios } from "./scenarios/start-storm.js";
import { surroundingsScenarios } from "./scenarios/surroundings.js";
import { unreadOutputScenarios } from "./scenarios/unread-output.js";
import { unsafePlaceScenarios } from "./scenarios/unsafe-places.js";
import { upgradeScenarios } from "./scenarios/upgrades.js";
import { originScenarios } from "./scenarios/web-origins.js";
import { webSocketAbuseScenarios } from "./scenarios/web-socket-abuse.js";

const ALL: readonly FaultScenario[] = [
  ...agentScenarios,
  ...badNetworkScenarios,
  ...byteScenarios,
  ...cancellingScenarios,
  ...closingScenarios,
  ...halfOpenScenarios,
  ...handlerScenarios,
  ...credentialScenarios,
  ...cutScenarios,
  ...fuzzScenarios,
  ...hostileTextScenarios,
  ...interruptedStartScenarios,
  ...leakScenarios,
  ...loadScenarios,
  ...manyConnectionScenarios,
  ...originScenarios,
  ...ownershipScenarios,
  ...privateStateScenarios,
  ...searchTimeScenarios,
  ...unsafePlaceScenarios,
  ...reconnectStormScenarios,
  ...rendezvousScenarios,
  ...restartScenarios,
  ...repeatScenarios,
  ...webSocketAbuseScenarios,
  ...foreignPageScenarios,
  ...drainScenarios,
  ...fullDiskScenarios,
  ...unreadOutputScenarios,
  ...reconnectScenarios,
  ...clockScenarios,
  ...soakScenarios,
  ...reattachMomentScenarios,
  ...redeliveredIdScenarios,
  ...surroundingsScenarios,
  ...startStormScenarios,
  ...noisyAgentScenarios,
  ...hostileKeyScenarios,
  ...damagedStoreScenarios,
  ...lagOnFullDiskScenarios,
  ...oversizeScenarios,
  ...upgradeScenarios,
];

/** Every scenario there is, by its id. */
export const SCENARIOS: ReadonlyMap<string, FaultScenario> = new Map(ALL.map((scenario) => [scenario.id, scenario]));
