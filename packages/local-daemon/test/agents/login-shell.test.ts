import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Logger, newId, type SessionId, silentLogger } from "@daemon-sdk/protocol";
import { describe, expect, test } from "vitest";
import { createAgentSpawner } from "../../src/agents/agent-spawner.js";
import { LoginShell } from "../../src/agents/login-shell.js";
import { startTimeOf } from "../../src/agents/process-identity.js";
import { tempDir, Witness } from "./agent-harness.js";

const OWN = { HOME: "/home/me", PATH: "/own/bin:/usr/bin", SECRET_OF_STARTER: "x", HTTPS_PROXY: "http://starter" };

/** A login shell that runs these lines first, as its start files, and then the line that it is given as `$3`. */
async function shellWith(startFiles: string, options: { env?: NodeJS.ProcessEnv; timeoutMs?: number } = {}) {
  const dir = await tempDir();
  const shell = join(dir.path, "shell");
  await writeFile(shell, `#!/bin/sh\n${startFiles}\neval "$3"\n`);
  await chmod(shell, 0o755);
  const warnings: unknown[] = [];
  const logger: Logger = { ...silentLogger, warn: (fields) => void warnings.push(fields) };
  const login = new LoginShell({ isRead: true, logger, env: OWN, shell, ...options });
  return { login, warnings, dir: dir.path, [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() };
}

describe("the login shell", () => {
  test("gives its directories first, then those of the daemon that are missing", async () => {
    await using fake = await shellWith("export PATH=/login/bin:/usr/bin");
    expect(await fake.login.read()).toEqual({ ...OWN, PATH: "/login/bin:/usr/bin:/own/bin" });
    expect(fake.login.env.PATH).toBe("/login/bin:/usr/bin:/own/bin");
  });

  test("gives its proxies, all of them, when it sets one", async () => {
    await using fake = await shellWith("export ALL_PROXY=socks5://shell no_proxy=localhost");
    const env = await fake.login.read();
    expect(env).toMatchObject({ ALL_PROXY: "socks5://shell", no_proxy: "localhost" });
    expect(env).not.toHaveProperty("HTTPS_PROXY");
  });

  test("gives nothing else, and sees nothing of the daemon's first starter", async () => {
    await using fake = await shellWith('export TOKEN=canary; env > "$(dirname "$0")/seen"');
    expect(JSON.stringify(await fake.login.read())).not.toContain("canary");
    expect(await readFile(join(fake.dir, "seen"), "utf8")).not.toMatch(/SECRET_OF_STARTER|starter/);
  });

  test("may print before its environment, and may have values of several lines", async () => {
    await using fake = await shellWith(
      "echo Welcome; printf 'PATH=/junk\\0'; export TWO='a\nPATH=/wrong'; export PATH=/login/bin",
    );
    expect((await fake.login.read()).PATH).toBe("/login/bin:/own/bin:/usr/bin");
  });

  test("is run once, when it is first asked for", async () => {
    await using fake = await shellWith('echo run >> "$(dirname "$0")/runs"');
    await Promise.all([fake.login.read(), fake.login.read()]);
    await fake.login.read();
    expect(await readFile(join(fake.dir, "runs"), "utf8")).toBe("run\n");
  });

  test.each([
    { how: "fails", startFiles: "exit 3", problem: "exit code 3" },
    { how: "prints nothing", startFiles: "exec >/dev/null", problem: "exit code 0" },
    { how: "prints without end", startFiles: "exec yes", problem: "more than 1048576 bytes" },
    { how: "reads a terminal that is not there", startFiles: "read -r line || exit 4", problem: "exit code 4" },
  ])("that $how is logged once, and the daemon's own environment holds", async ({ startFiles, problem }) => {
    await using fake = await shellWith(startFiles);
    expect(await fake.login.read()).toEqual(OWN);
    await fake.login.read();
    expect(fake.warnings).toEqual([expect.objectContaining({ problem: expect.stringContaining(problem) })]);
  });

  test("that is slow is ended, with what its start files began", async () => {
    await using fake = await shellWith('sleep 600 & echo $! > "$(dirname "$0")/pid"; wait', { timeoutMs: 300 });
    expect(await fake.login.read()).toEqual(OWN);
    expect(fake.warnings).toEqual([expect.objectContaining({ problem: "it took longer than 300 ms" })]);
    const pid = Number(await readFile(join(fake.dir, "pid"), "utf8"));
    await expect.poll(() => startTimeOf(pid)).toBeUndefined();
  });

  test("that leaves a process with its output open is not waited for", async () => {
    await using fake = await shellWith("sleep 600 & export PATH=/login/bin", { timeoutMs: 60_000 });
    expect((await fake.login.read()).PATH).toBe("/login/bin:/own/bin:/usr/bin");
  });

  test("that does not exist is logged, and one that is not wanted is not run", async () => {
    const warnings: unknown[] = [];
    const logger: Logger = { ...silentLogger, warn: (fields) => void warnings.push(fields) };
    const missing = new LoginShell({ isRead: true, logger, env: OWN, shell: "/nonexistent/shell" });
    expect(await missing.read()).toBe(OWN);
    expect(warnings).toHaveLength(1);
    const unwanted = new LoginShell({ isRead: false, logger, env: OWN, shell: "/nonexistent/shell" });
    expect(await unwanted.read()).toBe(OWN);
    expect(warnings).toHaveLength(1);
  });

  test("is ended when the daemon stops, without a warning", async () => {
    await using fake = await shellWith("sleep 600");
    const reading = fake.login.read();
    fake.login.close();
    expect(await reading).toEqual(OWN);
    expect(fake.warnings).toEqual([]);
  });
});

test("an agent is found on the PATH of the login shell, and gets it", async () => {
  await using fake = await shellWith('export PATH="$(dirname "$0")/bin:$PATH"');
  const bin = join(fake.dir, "bin");
  await mkdir(bin);
  await writeFile(join(bin, "only-here"), `#!/bin/sh\necho "$PATH" > "${fake.dir}/path"\n`, { mode: 0o755 });
  const spawner = createAgentSpawner({
    instanceId: "i-1",
    stateDir: fake.dir,
    logger: silentLogger,
    loginShell: fake.login,
  });
  const spec = { name: "x", command: ["only-here"], driver: "stream-jsonrpc" } as const;
  const witness = new Witness();
  const agent = await spawner.spawn(spec, newId<SessionId>(), fake.dir, witness);
  await witness.exit();
  await agent.stop();
  expect(await readFile(join(fake.dir, "path"), "utf8")).toMatch(new RegExp(`^${bin}:.*:/own/bin`));
});
