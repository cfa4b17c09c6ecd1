import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { WORKSPACE_LIMITS } from "../../src/limits/workspace-limits.js";
import { listFiles } from "../../src/working-directory/list-files.js";
import { asked, ScratchDirectory } from "./scratch-repository.js";

test("the files of a repository are those that it does not ignore, of the directory only", async () => {
  using scratch = new ScratchDirectory();
  scratch.repository({ ".gitignore": "*.log\n", "src/a.ts": "", "src/ü/b.ts": "", "src/x.log": "", "top.md": "" });
  scratch.write("src/new.ts", "");
  const below = asked(join(scratch.path, "src"));
  expect(await listFiles(below, false)).toEqual({ files: ["a.ts", "new.ts", "ü/b.ts"] });
  expect((await listFiles(asked(scratch.path), true)).files).toContain(".gitignore");
  expect((await listFiles(asked(scratch.path), false)).files).not.toContain(".gitignore");
});

test("without a repository they are all but hidden ones and packages, and links are not followed", async () => {
  using scratch = new ScratchDirectory();
  for (const path of ["b/c.txt", "a.txt", ".env", ".config/x", "node_modules/p/index.js"]) scratch.write(path, "");
  symlinkSync("/etc", join(scratch.path, "etc"));
  expect(await listFiles(asked(scratch.path), false)).toEqual({ files: ["a.txt", "b/c.txt", "etc"] });
  const all = { files: [".config/x", ".env", "a.txt", "b/c.txt", "etc"] };
  expect(await listFiles(asked(scratch.path), true)).toEqual(all);
});

test.each([true, false])("the daemon's own state is left out (repository: %s)", async (isRepository) => {
  using scratch = new ScratchDirectory();
  const files = { "a.txt": "", "state/token": "", "state-of-mine/x": "" };
  for (const path of Object.keys(files)) scratch.write(path, "");
  if (isRepository) scratch.repository(files);
  const options = { ...asked(scratch.path), hidden: join(scratch.path, "state") };
  expect(await listFiles(options, false)).toEqual({ files: ["a.txt", "state-of-mine/x"] });
});

test("of many only a bounded number is listed, and the answer says so", async () => {
  using scratch = new ScratchDirectory();
  for (let n = 0; n <= WORKSPACE_LIMITS.files; n += 1) scratch.write(`f${n}`, "");
  const { files, isIncomplete } = await listFiles(asked(scratch.path), false);
  expect([files.length, isIncomplete]).toEqual([WORKSPACE_LIMITS.files, true]);
});

test("a directory that is gone has none, and one that takes too long is incomplete", async () => {
  using scratch = new ScratchDirectory();
  scratch.write("a.txt", "");
  expect(await listFiles(asked(join(scratch.path, "none")), false)).toEqual({ files: [] });
  const late = { ...asked(scratch.path), signal: AbortSignal.abort() };
  expect(await listFiles(late, false)).toEqual({ files: [], isIncomplete: true });
});
