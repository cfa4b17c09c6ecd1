import type { FaultScenario } from "./scenario.js";
import { agentScenarios } from "./scenarios/agents.js";
import { badNetworkScenarios } from "./scenarios/bad-network.js";
import { byteScenarios } from "./scenarios/bytes.js";
import { cancellingScenarios } from "./scenarios/cancelling.js";
import { clockScenarios } from "./scenarios/clock-jumps.js";
import { closingScenarios } from "./scenarios/closing.js";
import { credentialScenarios } from "./scenarios/credentials.js";
import { cutScenarios } from "./scenarios/cuts.js";
import { drainScenarios } from "./scenarios/drain.js";
import { foreignPageScenarios } from "./scenarios/foreign-page.js";
import { fullDiskScenarios } from "./scenarios/full-disk.js";
import { fuzzScenarios } from "./scenarios/fuzz.js";
import { halfOpenScenarios } from "./scenarios/half-open.js";
import { handlerScenarios } from "./scenarios/handlers.js";
import { hostileTextScenarios } from "./scenarios/hostile-text.js";
import { interruptedStartScenarios } from "./scenarios/interrupted-starts.js";
import { leakScenarios } from "./scenarios/leaks.js";
import { loadScenarios } from "./scenarios/load.js";
import { manyConnectionScenarios } from "./scenarios/many-connections.js";
import { ownershipScenarios } from "./scenarios/ownership.js";
import { privateStateScenarios } from "./scenarios/private-state.js";
import { reconnectStormScenarios } from "./scenarios/reconnect-storm.js";
import { reconnectScenarios } from "./scenarios/reconnects.js";
import { rendezvousScenarios } from "./scenarios/rendezvous.js";
import { repeatScenarios } from "./scenarios/repeats.js";
import { restartScenarios } from "./scenarios/restarts.js";
import { searchTimeScenarios } from "./scenarios/search-times.js";
import { soakScenarios } from "./scenarios/soak.js";
import { unreadOutputScenarios } from "./scenarios/unread-output.js";
import { unsafePlaceScenarios } from "./scenarios/unsafe-places.js";
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
];

/** Every scenario there is, by its id. */
export const SCENARIOS: ReadonlyMap<string, FaultScenario> = new Map(ALL.map((scenario) => [scenario.id, scenario]));
