import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { tempDir } from "../agents/agent-harness.js";
import { high, isThere, results, run } from "./turn-support.js";
import { type Desk, desk } from "./workspace-agent.js";

/** Asks for a write, changes the directory while the person is asked, allows the write, and gives what the tool said. */
async function whileAsked(place: Desk, prompt: string, change: () => Promise<unknown>) {
  await using running = await place.open();
  await running.prompt(prompt);
  const { request } = await running.witness.until(() => running.witness.of("request")[0]);
  await change();
  request.respond({ selectedOption: "proceed_once" });
  await running.witness.turnEnd();
  return results(running)[0];
}

describe("while a person is asked", () => {
  test.each([["the directory"], ["a directory above it"]])(
    "a link that is put in the place of %s leads no write outside",
    async (which) => {
      await using place = await desk();
      await using outside = await tempDir();
      await mkdir(join(place.cwd, "a", "b"), { recursive: true });
      await mkdir(join(outside.path, "b"));
      const swapped = which === "the directory" ? join(place.cwd, "a", "b") : join(place.cwd, "a");
      const result = await whileAsked(place, "write a/b/file.txt: secret", async () => {
        await rename(swapped, `${swapped}-moved`);
        await symlink(which === "the directory" ? join(outside.path, "b") : outside.path, swapped);
      });
      expect(result).toMatchObject({ isError: true, content: expect.stringMatching(/symbolic link/) });
      expect(await readdir(join(outside.path, "b"))).toEqual([]);
    },
  );

  test("a link that is put in the place of the file is not followed", async () => {
    await using place = await desk();
    await using outside = await tempDir();
    const victim = join(outside.path, "victim.txt");
    await writeFile(victim, "old");
    await writeFile(join(place.cwd, "file.txt"), "old");
    const result = await whileAsked(place, "write file.txt: new", async () => {
      await rm(join(place.cwd, "file.txt"));
      await symlink(victim, join(place.cwd, "file.txt"));
    });
    expect(result).toMatchObject({ isError: true });
    expect(await readFile(victim, "utf8")).toBe("old");
  });

  test.each([
    ["changed", (path: string) => writeFile(path, "theirs"), "theirs"],
    ["removed", (path: string) => rm(path), undefined],
  ])("a file that somebody %s stays so: what the person agreed to was another change", async (_how, change, left) => {
    await using place = await desk();
    const path = join(place.cwd, "file.txt");
    await writeFile(path, "old");
    const result = await whileAsked(place, "write file.txt: new", () => change(path));
    expect(result).toMatchObject({ isError: true, content: expect.stringMatching(/changed by somebody else/) });
    expect((await isThere(path)) ? await readFile(path, "utf8") : undefined).toBe(left);
  });

  test("a file that somebody made stays", async () => {
    await using place = await desk();
    const path = join(place.cwd, "new.txt");
    const result = await whileAsked(place, "write new.txt: mine", () => writeFile(path, "theirs"));
    expect(result).toMatchObject({ isError: true });
    expect(await readFile(path, "utf8")).toBe("theirs");
  });
});

test("bytes that are no UTF-8 survive an append", async () => {
  await using place = await desk();
  const path = join(place.cwd, "latin.txt");
  const bytes = Buffer.from([0xe9, 0x00, 0xff, 0x0a]);
  await writeFile(path, bytes);
  await using running = await place.open(high);
  expect(await run(running, "append latin.txt: more")).toMatchObject({ reason: "completed" });
  const after = await readFile(path);
  expect(after.subarray(0, bytes.length)).toEqual(bytes);
  expect(after.toString("latin1")).toMatch(/more/);
});

test.runIf(process.platform !== "win32")("a FIFO hangs neither a read, a search nor a write", async () => {
  await using place = await desk();
  execFileSync("mkfifo", [join(place.cwd, "pipe")]);
  await using running = await place.open(high);
  await run(running, "read pipe ; then write pipe: x ; then search x");
  expect(results(running).map(({ isError }) => isError)).toEqual([true, true, false]);
});
