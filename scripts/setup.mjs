/**
 * Installs the dependencies when they are missing or out of date. Node built-ins only: it runs before anything is installed.
 *
 * `npm run setup` installs always, and lets git use the hooks in `scripts/hooks`; the other scripts call
 * {@link ensureInstalled}, which costs nothing once it was done.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { useHooks } from "./git-hooks.mjs";
import { isMain, ROOT, runQuietly } from "./run.mjs";

const MINIMUM_NODE = [20, 19];
const LOCKFILE = join(ROOT, "pnpm-lock.yaml");
/** Digest of the lockfile that was installed last; inside `node_modules`, so that it goes with it. */
const STAMP = join(ROOT, "node_modules", ".installed-lockfile");

/** Installs when `node_modules` is missing or the lockfile changed since the last time. */
export async function ensureInstalled() {
  refuseOldNode();
  if (!existsSync(STAMP) || readFileSync(STAMP, "utf8") !== lockfileDigest()) await install();
}

async function install() {
  // npx, not corepack: the corepack of Node 20 refuses the signatures of today's pnpm.
  const pnpm = `pnpm@${pinnedPnpm()}`;
  const args = ["--yes", pnpm, "install", "--frozen-lockfile"];
  await runQuietly("Install dependencies", process.platform === "win32" ? "npx.cmd" : "npx", args);
  writeFileSync(STAMP, lockfileDigest());
}

function pinnedPnpm() {
  const { packageManager } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  return packageManager.slice("pnpm@".length);
}

function lockfileDigest() {
  return createHash("sha256").update(readFileSync(LOCKFILE)).digest("hex");
}

function refuseOldNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const isOld = major < MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor < MINIMUM_NODE[1]);
  if (!isOld) return;
  console.error(`This needs Node ${MINIMUM_NODE.join(".")} or newer; this is ${process.version}.`);
  process.exit(1);
}

if (isMain(import.meta.url)) {
  refuseOldNode();
  await install();
  useHooks();
}
