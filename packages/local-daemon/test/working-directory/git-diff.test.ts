import { chmodSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { GitDiff } from "@daemon-sdk/protocol";
import { describe, expect, test, vi } from "vitest";
import { WORKSPACE_LIMITS } from "../../src/limits/workspace-limits.js";
import { gitDiff } from "../../src/working-directory/git-diff.js";
import { listFiles } from "../../src/working-directory/list-files.js";
import { asked, ScratchDirectory } from "./scratch-repository.js";

async function dataOf(cwd: string, baseBranch?: string): Promise<GitDiff> {
  const result = await gitDiff(asked(cwd), baseBranch);
  if (!result.success) throw new TypeError(result.unavailableMessage);
  return result.data;
}

describe("a difference", () => {
  test("has the commits since the base branch, and what is not committed, with the numbers of lines", async () => {
    using scratch = new ScratchDirectory();
    scratch.repository({ "a.txt": "1\n2\n", "gone.txt": "x\n" });
    scratch.git(["checkout", "-q", "-b", "work"]);
    scratch.write("ünï code.txt", "new\n");
    rmSync(join(scratch.path, "gone.txt"));
    scratch.commit('second: a "quoted" subject');
    scratch.write("a.txt", "1\n3\n4\n");
    scratch.git(["remote", "add", "origin", "https://me:secret@example.com/x.git"]);
    const data = await dataOf(scratch.path);
    expect(data).toMatchObject({ branch: "work", baseBranch: "main", remoteUrl: "https://example.com/x.git" });
    expect(data.commits).toEqual([
      { hash: expect.stringMatching(/^[0-9a-f]{40}$/), message: 'second: a "quoted" subject' },
    ]);
    expect(data.files).toEqual([
      { path: "gone.txt", additions: 0, deletions: 1, status: "deleted" },
      { path: "ünï code.txt", additions: 1, deletions: 0, status: "added" },
    ]);
    expect([data.totalAdditions, data.totalDeletions]).toEqual([1, 1]);
    expect(data.diff).toContain("+new");
    expect(data.unstagedFiles).toEqual([{ path: "a.txt", additions: 2, deletions: 1, status: "modified" }]);
    expect([data.unstagedTotalAdditions, data.unstagedTotalDeletions]).toEqual([2, 1]);
    expect(data.unstagedDiff).toContain("+3");
    expect(data).not.toHaveProperty("isIncomplete");
    const toItself = await dataOf(scratch.path, "work");
    expect([toItself.diff, toItself.commits]).toEqual(["", []]);
  });

  test("is of the directory only, with paths relative to it", async () => {
    using scratch = new ScratchDirectory();
    scratch.repository({ "inside/a.txt": "1\n", "outside/secret.txt": "1\n" });
    scratch.write("inside/a.txt", "2\n");
    scratch.write("outside/secret.txt", "hidden\n");
    const data = await dataOf(join(scratch.path, "inside"));
    expect(data.unstagedFiles?.map(({ path }) => path)).toEqual(["a.txt"]);
    expect(JSON.stringify(data)).not.toContain("hidden");
  });

  test("of a branch without commits is all that is added", async () => {
    using scratch = new ScratchDirectory();
    scratch.git(["init", "-q", "-b", "fresh"]);
    scratch.write("a.txt", "1\n");
    scratch.git(["add", "-A"]);
    const data = await dataOf(scratch.path);
    expect(data).toMatchObject({ branch: "fresh", baseBranch: "fresh", diff: "", commits: [] });
    expect(data.unstagedFiles).toEqual([{ path: "a.txt", additions: 1, deletions: 0, status: "added" }]);
  });

  test("that is too large is cut, and says so", async () => {
    using scratch = new ScratchDirectory();
    scratch.repository({ "a.txt": "1\n" });
    scratch.write("a.txt", `${"x".repeat(99)}\n`.repeat(20_000));
    const data = await dataOf(scratch.path);
    expect(Buffer.byteLength(data.unstagedDiff ?? "")).toBe(WORKSPACE_LIMITS.diffBytes);
    expect(data.isIncomplete).toBe(true);
    expect(data.unstagedTotalAdditions).toBe(20_000);
  });

  test("starts no program that the repository names, and neither do its files", async () => {
    using scratch = new ScratchDirectory();
    const mark = join(scratch.path, "started");
    const program = scratch.write("program.sh", `#!/bin/sh\necho "$0" >> ${mark}\ncat\n`);
    chmodSync(program, 0o755);
    scratch.repository({ "a.txt": "1\n", ".gitattributes": "*.txt filter=evil diff=evil\n" });
    for (const key of [
      ...[
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "diff.external",
        "diff.evil.command",
        "diff.evil.textconv",
      ],
      ...["filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "gpg.program", "core.alternateRefsCommand"],
    ]) {
      scratch.git(["config", key, program]);
    }
    scratch.git(["config", "log.showSignature", "true"]);
    scratch.git(["config", "filter.evil.required", "true"]);
    scratch.write(".git/hooks/post-index-change", `#!/bin/sh\necho hook >> ${mark}\n`);
    chmodSync(join(scratch.path, ".git/hooks/post-index-change"), 0o755);
    rmSync(mark, { force: true });
    scratch.write("a.txt", "2\n");
    const data = await dataOf(scratch.path);
    expect(data.unstagedFiles?.map(({ path }) => path)).toContain("a.txt");
    expect((await listFiles(asked(scratch.path), false)).files).toContain("a.txt");
    expect(existsSync(mark)).toBe(false);
  });
});

describe("there is no difference", () => {
  test("of a directory that is gone, in no repository, for an unknown branch, or without git", async () => {
    using scratch = new ScratchDirectory();
    scratch.repository({ "a.txt": "1\n" }, "repository");
    scratch.write("plain/a.txt", "1\n");
    const reason = async (below: string, base?: string) => {
      const result = await gitDiff(asked(join(scratch.path, below)), base);
      return result.success ? undefined : [result.unavailableReason, result.unavailableMessage];
    };
    expect(await reason("none")).toEqual(["missing_session_cwd", expect.stringContaining("gone")]);
    expect(await reason("plain")).toEqual(["not_git_repository", expect.any(String)]);
    expect(await reason("repository", "--output=x")).toEqual(["unknown", expect.stringContaining("no branch")]);
    vi.stubEnv("PATH", "/nonexistent");
    try {
      expect(await reason("repository")).toEqual(["git_not_available", expect.any(String)]);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test("in the repository of somebody else that a file or a link names", async () => {
    using scratch = new ScratchDirectory();
    scratch.repository({ "secret.txt": "private\n" }, "private");
    scratch.write("work/.git", `gitdir: ${join(scratch.path, "private", ".git")}\n`);
    const work = join(scratch.path, "work");
    const mine = { ...asked(work), mayShow: async () => false };
    expect(await gitDiff(mine)).toMatchObject({ success: false, unavailableReason: "not_git_repository" });
    expect((await dataOf(work)).unstagedDiff).toContain("private");
    const own = { ...asked(join(scratch.path, "private")), mayShow: async () => false };
    expect(await gitDiff(own)).toMatchObject({ success: true });
  });

  test("when git takes too long", async () => {
    using scratch = new ScratchDirectory();
    scratch.repository({ "a.txt": "1\n" });
    const result = await gitDiff({ ...asked(scratch.path), signal: AbortSignal.abort() });
    expect(result).toMatchObject({ success: false });
  });
});
