/**
 * `npm run interop:relay [-- seed]`: our relay wire against the published peers, which are installed on demand, outside
 * the workspace and without their scripts, at the versions that test/interop/relay pins. Ends with `N passed, N failed`.
 */
import { join } from "node:path";
import { ensurePeers } from "./interop-peers.mjs";
import { ROOT, run } from "./run.mjs";

const PEERS = join(ROOT, "test", "interop", "relay");

await ensurePeers(PEERS);
process.exitCode = await run("node", [join(PEERS, "main.mjs"), ...process.argv.slice(2)]);
