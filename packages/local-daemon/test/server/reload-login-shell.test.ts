import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { createDaemon, MemoryStore } from "../../src/server.js";
import { tempDir } from "../agents/agent-harness.js";

const { HOME } = process.env;

afterEach(() => {
  process.env.HOME = HOME;
});

test("a reload that names an agent of the login shell's PATH waits for the shell, and a later one holds", async () => {
  await using home = await tempDir();
  await mkdir(join(home.path, "bin"));
  await writeFile(join(home.path, "bin", "opencode"), "#!/bin/sh\n");
  await chmod(join(home.path, "bin", "opencode"), 0o755);
  const line = `export PATH="${join(home.path, "bin")}:$PATH"\n`;
  for (const file of [".profile", ".zprofile"]) await writeFile(join(home.path, file), line);
  process.env.HOME = home.path;
  const config = { loginShell: true, agentPresets: true, stateDir: join(home.path, "state"), store: new MemoryStore() };
  const daemon = await createDaemon(config);
  try {
    const [first, second] = await Promise.all([
      daemon.reload({ ...config, defaultAgent: "opencode" }),
      daemon.reload({ ...config, limits: { openSessions: 7 } }),
    ]);
    expect(first.applied).toEqual(["defaultAgent"]);
    expect(new Set(second.applied)).toEqual(new Set(["defaultAgent", "limits.openSessions"]));
  } finally {
    await daemon.close({ drainMs: 0 });
  }
});
