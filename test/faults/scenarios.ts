import type { FaultScenario } from "./scenario.js";
import { byteScenarios } from "./scenarios/bytes.js";
import { fuzzScenarios } from "./scenarios/fuzz.js";
import { hostileTextScenarios } from "./scenarios/hostile-text.js";
import { rendezvousScenarios } from "./scenarios/rendezvous.js";
import { webSocketAbuseScenarios } from "./scenarios/web-socket-abuse.js";

const ALL: readonly FaultScenario[] = [
  ...byteScenarios,
  ...fuzzScenarios,
  ...hostileTextScenarios,
  ...rendezvousScenarios,
  ...webSocketAbuseScenarios,
];

/** Every scenario there is, by its id. */
export const SCENARIOS: ReadonlyMap<string, FaultScenario> = new Map(ALL.map((scenario) => [scenario.id, scenario]));
