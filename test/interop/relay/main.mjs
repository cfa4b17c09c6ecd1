/** Checks of the relay wire against the published peers. Started by scripts/interop-relay.mjs, which installs them. */
import { Checks } from "./checks.mjs";
import { checkFraming } from "./framing.mjs";
import { benchFraming } from "./framing-bench.mjs";

const seed = Number(process.argv[2] ?? Date.now() % 2 ** 32);
const checks = new Checks();
// First, while neither parser has seen more than one sort of envelope: both are measured fresh.
benchFraming();
await checkFraming(checks, seed);
process.exitCode = checks.finish();
