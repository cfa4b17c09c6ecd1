import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ROOT } from "../support/packages.js";

// A repository of its own with our scripts in it, so that git itself runs the hook.
let checkout: string;
beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), "commit-message-"));
  git("init", "--quiet");
  cpSync(join(ROOT, "scripts"), join(checkout, "scripts"), { recursive: true });
});
afterEach(() => rmSync(checkout, { recursive: true, force: true }));

describe("with the hook in use, git", () => {
  beforeEach(() => {
    useHooks();
    expect(git("config", "core.hooksPath")).toBe("scripts/hooks");
  });

  test.each([
    ["a subject of 72 characters", "a".repeat(72)],
    ["a subject whose 72 characters are no ASCII", "é".repeat(72)],
    ["a subject, a blank line and a body", "Count what failed\n\nIt was 3 of 400.\n"],
    ["a line above which only comments stand", "# A comment of git's\nCount what failed"],
    ["what stands below the scissors", `Count what failed\n# ${"-".repeat(24)} >8 ${"-".repeat(24)}\ndiff --git`],
    ["the subject of a merge, however long", `Merge branch '${"a".repeat(72)}'`],
    ["the subject of a revert, however long", `Revert "${"a".repeat(72)}"`],
    ["a subject that a rebase folds away, however long", `fixup! ${"a".repeat(72)}`],
  ])("takes %s", (_, message) => {
    expect(commit(message)).toMatchObject({ status: 0 });
  });

  test.each([
    ["a subject of 73 characters", "a".repeat(73), "has 73 characters, at most 72 fit"],
    ["a period behind the subject", "Count what failed.", "ends with a period"],
    ["a body without a blank line before it", "Count what failed\nIt was 3 of 400.", "second line is not blank"],
    ["an empty message", "\n\n", "subject is empty"],
  ])("refuses %s", (_, message, reason) => {
    const { status, stderr } = commit(message);
    expect(stderr).toContain(reason);
    expect(status).not.toBe(0);
  });

  test("names every fault at once, and where the rules are", () => {
    const { stderr } = commit(`${"a".repeat(72)}.\nbody`);
    expect(stderr.match(/^Commit message: /gm)).toHaveLength(3);
    expect(stderr).toContain("CONTRIBUTING.md");
  });
});

describe("the set-up leaves git as it is", () => {
  test("in CI", () => {
    useHooks({ CI: "true" });
    expect(git("config", "--default", "none", "--get", "core.hooksPath")).toBe("none");
  });

  test("where another folder of hooks is in use, and says how to have both", () => {
    git("config", "core.hooksPath", "elsewhere");
    expect(useHooks()).toContain("scripts/hooks/commit-msg");
    expect(git("config", "core.hooksPath")).toBe("elsewhere");
  });

  test("where the checkout has hooks of its own", () => {
    cpSync(join(ROOT, "scripts", "hooks", "commit-msg"), join(checkout, ".git", "hooks", "pre-commit"));
    expect(useHooks()).toContain("scripts/hooks/commit-msg");
    expect(git("config", "--default", "none", "--get", "core.hooksPath")).toBe("none");
  });

  test("inside of another repository", () => {
    cpSync(join(ROOT, "scripts"), join(checkout, "vendored", "scripts"), { recursive: true });
    execFileSync(process.execPath, [join("vendored", "scripts", "git-hooks.mjs")], { cwd: checkout, env: ownGit() });
    expect(git("config", "--default", "none", "--get", "core.hooksPath")).toBe("none");
  });
});

/** What the set-up says when it is asked to use the hooks. */
function useHooks(env: NodeJS.ProcessEnv = {}): string {
  const program = join(checkout, "scripts", "git-hooks.mjs");
  return spawnSync(process.execPath, [program], { cwd: checkout, env: ownGit(env), encoding: "utf8" }).stderr;
}

function commit(message: string): { status: number | null; stderr: string } {
  const args = ["commit", "--allow-empty", "--allow-empty-message", "--cleanup=scissors", "--file=-"];
  return spawnSync("git", args, { cwd: checkout, env: ownGit(), input: message, encoding: "utf8" });
}

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: checkout, env: ownGit(), encoding: "utf8" }).trim();
}

/** An environment without the person's own git configuration, and outside of a hook that runs these tests. */
function ownGit(env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_") && name !== "CI");
  const identity = {
    GIT_AUTHOR_NAME: "A",
    GIT_AUTHOR_EMAIL: "a@b.c",
    GIT_COMMITTER_NAME: "A",
    GIT_COMMITTER_EMAIL: "a@b.c",
  };
  return { ...Object.fromEntries(kept), GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1", ...identity, ...env };
}
