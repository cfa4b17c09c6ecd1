/** A copy of the work tree, with what is not committed yet and without what git ignores, to release from. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "../run.mjs";

/** Author of the copy's one commit. It is thrown away with the copy. */
const IDENTITY = [
  "-c",
  "user.name=release:dry",
  "-c",
  "user.email=release-dry@localhost",
  "-c",
  "core.hooksPath=/dev/null",
];

/** Copies the work tree to `target`, as a repository with one commit on `main`: changesets reads its history. */
export function copyWorkTree(target) {
  const listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z");
  for (const path of listed.split("\0").filter((path) => path !== "" && existsSync(join(ROOT, path)))) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    cpSync(join(ROOT, path), join(target, path));
  }
  git(target, "init", "--quiet", "--initial-branch=main");
  git(target, "add", "--all");
  git(target, ...IDENTITY, "commit", "--quiet", "--message=Work tree");
}

function git(cwd, ...args) {
  return execFileSync("git", args, { cwd, encoding: "utf8", maxBuffer: 2 ** 26 });
}
