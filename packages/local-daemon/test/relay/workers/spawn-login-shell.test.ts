import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { fixture, tempDir } from "../../agents/agent-harness.js";
import { RelayDaemon } from "../relay-daemon.js";
import { ask } from "./spawn-harness.js";

const { HOME } = process.env;

afterEach(() => {
  process.env.HOME = HOME;
});

/** A home whose login shell has a directory on its PATH, in which the preset `opencode` is a program. */
async function homeWithOpencode(home: string): Promise<void> {
  await mkdir(join(home, "bin"));
  const program = join(home, "bin", "opencode");
  await writeFile(program, `#!/bin/sh\nexec "${process.execPath}" "${fixture("acp-echo.mjs")}"\n`);
  await chmod(program, 0o755);
  const line = `export PATH="${join(home, "bin")}:$PATH"\n`;
  for (const file of [".profile", ".zprofile"]) await writeFile(join(home, file), line);
}

test("SPAWN of an agent that is on the login shell's PATH only waits for the shell", async () => {
  await using home = await tempDir();
  await homeWithOpencode(home.path);
  process.env.HOME = home.path;
  await using daemon = await RelayDaemon.start({ spawnManager: true, agentPresets: true, loginShell: true });
  const peer = await daemon.connect("Lead");
  const spawn = { task: "", cwd: home.path };
  expect(await ask(peer, "SPAWN", { name: "Worker", cli: "opencode", ...spawn })).toMatchObject({ success: true });
  expect(await ask(peer, "SPAWN", { name: "Other", cli: "nobody", ...spawn })).toMatchObject({
    success: false,
    error: expect.stringContaining("opencode"),
  });
});
