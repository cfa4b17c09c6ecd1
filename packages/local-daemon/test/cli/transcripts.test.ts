import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { Masks } from "./transcript/masks.js";
import { loadPty, NO_PTY, readable, TerminalRun } from "./transcript/pty.js";
import { rewritten, type ShownCommand, type ShownOutput } from "./transcript/transcript.js";

const PAGE = fileURLToPath(new URL("../../../../docs/cli.md", import.meta.url));
const PROGRAM = fileURLToPath(new URL("../../dist/bin.cjs", import.meta.url));
/** A page of this width is read without scrolling. */
const COLUMNS = 110;

/** Stands around the exit code, after the output. */
const END = "\u001e";

const pty = await loadPty();

test("docs/cli.md shows what the commands do", async ({ skip }) => {
  if (pty === undefined) return skip(NO_PTY);
  const home = await mkdtemp("/tmp/cli-");
  const bin = join(home, "bin");
  mkdirSync(bin);
  mkdirSync(join(home, "work"));
  writeFileSync(join(bin, "local-daemon"), `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`);
  chmodSync(join(bin, "local-daemon"), 0o755);
  const env = { PATH: `${bin}:/usr/bin:/bin`, HOME: home, TERM: "xterm", LANG: "C.UTF-8" };
  const masks = new Masks([
    [home, "/home/ada"],
    [dirname(PROGRAM), "/usr/lib/node_modules/@daemon-sdk/local-daemon/dist"],
    [process.execPath, "/usr/bin/node"],
  ]);
  const terminal = (command: string) =>
    new TerminalRun(pty, { command: ["/bin/bash", "-c", command], env, cwd: join(home, "work"), columns: COLUMNS });

  const run = async ({ command, keys, before }: ShownCommand): Promise<ShownOutput> => {
    for (const hidden of before) {
      const once = () => terminal(masks.unmask(hidden.command)).exited;
      let ended = await once();
      for (let tries = 0; hidden.isRepeated && ended.code !== 0 && tries < MOST_TRIES; tries++) ended = await once();
      if (ended.code !== 0) throw new Error(`It did not succeed: ${hidden.command}`);
    }
    // It stays until all was read: what is not read within a moment after a program's end is lost.
    const shown = terminal(`trap : INT\n${masks.unmask(command)}\nprintf '\\036%s\\036' "$?"; read -rs`);
    for (const { keys: typed, at } of keys) {
      await shown.wrote(at);
      shown.type(typed);
    }
    await shown.wrote(END);
    await shown.wrote(END);
    const [output = "", code] = shown.output.split(END);
    shown.type("^M");
    await shown.exited;
    return { output: masks.mask(readable(output)), code: Number(code) };
  };

  try {
    await expect(await rewritten(PAGE, run)).toMatchFileSnapshot(PAGE);
  } finally {
    await terminal("local-daemon stop --now").exited;
    await rm(home, { recursive: true, force: true });
  }
}, 180_000);

/** How often a hidden command is repeated until it succeeds: each takes a tenth of a second at least. */
const MOST_TRIES = 100;
