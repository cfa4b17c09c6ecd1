import type { Measure } from "../measure.js";
import { bundle } from "./bundle.js";
import { coldStart } from "./cold-start.js";
import { connecting } from "./connect.js";
import { fleetEvents, fleetRegistry, fleetResume, fleetRoundTrip } from "./fleet.js";
import { latency, latencyAmongMany } from "./latency.js";
import { idle, memory, sessionsMemory } from "./memory.js";
import { oneWay } from "./one-way.js";
import { relayLatency, relayMemory, relayThroughput } from "./relay.js";
import { replay } from "./replay.js";
import { pipelined, roundTrip } from "./round-trip.js";
import { routing } from "./routing.js";
import { search } from "./search.js";
import { manySessions, wholePath } from "./whole-path.js";

/** Everything that `npm run bench` measures, in its order. */
export const MEASURES: readonly Measure[] = [
  wholePath,
  manySessions,
  latency,
  latencyAmongMany,
  oneWay,
  routing,
  roundTrip,
  pipelined,
  connecting,
  coldStart,
  memory,
  sessionsMemory,
  idle,
  replay,
  search,
  relayThroughput,
  relayLatency,
  relayMemory,
  fleetEvents,
  fleetRoundTrip,
  fleetRegistry,
  fleetResume,
  bundle,
];
