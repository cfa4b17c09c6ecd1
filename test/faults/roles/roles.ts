import { playClosingClient } from "./closing-client.js";
import { playHostileClient } from "./hostile-client.js";
import { playManyClients } from "./many-clients.js";
import { playMeasuredClient } from "./measured-client.js";
import { playOrphanMaker } from "./orphan-maker.js";
import { playRawClient } from "./raw-client.js";
import { playReconnectingClient } from "./reconnecting-client.js";
import { playScriptedDaemon } from "./scripted-daemon.js";
import { playSoakClient } from "./soak-client.js";
import { playTickingDaemon } from "./ticking-daemon.js";

type Role = (args: readonly string[]) => void | Promise<void>;

/** The parts this program can play in a process of its own, by name. */
export const ROLES: ReadonlyMap<string, Role> = new Map<string, Role>([
  ["closing-client", playClosingClient],
  ["hostile-client", playHostileClient],
  ["many-clients", playManyClients],
  ["measured-client", playMeasuredClient],
  ["raw-client", playRawClient],
  ["reconnecting-client", playReconnectingClient],
  ["soak-client", playSoakClient],
  ["orphan-maker", playOrphanMaker],
  ["scripted-daemon", playScriptedDaemon],
  ["ticking-daemon", playTickingDaemon],
]);
