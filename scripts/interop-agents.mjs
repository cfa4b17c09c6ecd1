/**
 * `npm run interop:agents [-- --write] [agent …] [scenario …]`: published agents through our daemon, and a published client
 * through its ACP face. All are installed on demand, outside the workspace and without their scripts, at the versions that
 * test/interop/agents pins. `--write` puts the table into docs/agents.md. Ends with `N passed, N failed`.
 */
import { join } from "node:path";
import { ensurePeers } from "./interop-peers.mjs";
import { ROOT, run } from "./run.mjs";

const PEERS = join(ROOT, "test", "interop", "agents");

if (process.platform !== "linux" || process.arch !== "x64") {
  console.error(`The pinned agents are for linux-x64; this is ${process.platform}-${process.arch}.`);
  process.exit(1);
}
await ensurePeers(PEERS);
process.exitCode = await run("node", [join(PEERS, "main.mjs"), ...process.argv.slice(2)]);
