/** Checks of the relay wire against the published peers. Started by scripts/interop-relay.mjs, which installs them. */
import { Checks } from "./checks.mjs";
import { checkFraming } from "./framing.mjs";
import { benchFraming } from "./framing-bench.mjs";
import { checkPublishedClients } from "./published-clients.mjs";
import { checkPublishedDaemon } from "./published-daemon.mjs";

const seed = Number(process.argv[2] ?? Date.now() % 2 ** 32);
const checks = new Checks();
// First, while neither parser has seen more than one sort of envelope: both are measured fresh.
benchFraming();
await checkFraming(checks, seed);
await checkPublishedClients(checks);
await checkPublishedDaemon(checks);
process.exitCode = checks.finish();
// The published peers leave timers behind that would hold the process.
process.exit();
