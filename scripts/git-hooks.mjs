/**
 * Lets git use the hooks in `scripts/hooks`. Part of `npm run setup`; Node built-ins only.
 *
 * Changes nothing in CI, outside a git checkout of this repository, and where hooks of somebody's own are in use.
 * `git config --unset core.hooksPath` reverts it.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { isMain, ROOT } from "./run.mjs";

const HOOKS = "scripts/hooks";

/** Sets `core.hooksPath` of this checkout, if nothing prevents it. Prints a note when other hooks are in use. */
export function useHooks() {
  if (process.env.CI || !isCheckout()) return;
  const current = git("config", "--get", "core.hooksPath");
  if (current === HOOKS) return;
  if (current !== undefined || hasOwnHooks()) {
    console.error(
      `Git hooks of your own are in use. For the check of commit messages, call ${HOOKS}/commit-msg from them.`,
    );
    return;
  }
  git("config", "core.hooksPath", HOOKS);
}

/** Whether git's work tree begins here: an unpacked copy may lie inside of another repository. */
function isCheckout() {
  const top = git("rev-parse", "--show-toplevel");
  return top !== undefined && realpathSync(top) === realpathSync(ROOT);
}

function hasOwnHooks() {
  const path = git("rev-parse", "--git-path", "hooks");
  const folder = path === undefined ? undefined : resolve(ROOT, path);
  return folder !== undefined && existsSync(folder) && readdirSync(folder).some((name) => !name.endsWith(".sample"));
}

/** What git prints, or `undefined` when it fails or is not installed. */
function git(...args) {
  const { status, stdout } = spawnSync("git", args, { cwd: ROOT, encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

if (isMain(import.meta.url)) useHooks();
