/**
 * `npm run interop:relay [-- seed]`: our relay wire against the published peers, which are installed on demand, outside
 * the workspace and without their scripts, at the versions that test/interop/relay pins. Ends with `N passed, N failed`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, run, runQuietly } from "./run.mjs";
import { ensureInstalled } from "./setup.mjs";

const PEERS = join(ROOT, "test", "interop", "relay");

function version(manifest) {
  try {
    return JSON.parse(readFileSync(manifest, "utf8")).version;
  } catch {
    return undefined;
  }
}

function arePeersInstalled() {
  const { dependencies } = JSON.parse(readFileSync(join(PEERS, "package.json"), "utf8"));
  return Object.entries(dependencies).every(
    ([name, pinned]) => version(join(PEERS, "node_modules", name, "package.json")) === pinned,
  );
}

await ensureInstalled();
if (!arePeersInstalled()) {
  await runQuietly("Install the published peers", "npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: PEERS,
  });
}
const flags = [
  "--filter=@daemon-sdk/client",
  "--filter=@daemon-sdk/local-daemon",
  "--output-logs=errors-only",
  "--no-update-notifier",
];
await runQuietly("Build", "turbo", ["run", "build", ...flags]);
process.exitCode = await run("node", [join(PEERS, "main.mjs"), ...process.argv.slice(2)]);
