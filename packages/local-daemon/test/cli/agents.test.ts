import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type DaemonHome, daemonHome } from "../rendezvous/daemon-home.js";
import { startCli } from "./run-cli.js";

const ECHO = fileURLToPath(new URL("../fixtures/acp-echo.mjs", import.meta.url));

/** A PATH on which `opencode` is the only known agent. */
function pathWithOpencode(home: DaemonHome): NodeJS.ProcessEnv {
  const bin = join(home.state, "..", "bin");
  mkdirSync(bin, { recursive: true });
  symlinkSync(ECHO, join(bin, "opencode"));
  return { PATH: [bin, process.env.PATH].join(delimiter) };
}

describe("a known agent on PATH", () => {
  test("is listed with its version and its models", async () => {
    await using home = daemonHome();
    const { stdout } = await startCli(home.state, ["agents", "--json"], pathWithOpencode(home)).result;
    const findings = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(findings).toContainEqual(
      expect.objectContaining({
        name: "opencode",
        driver: "acp",
        state: "ready",
        version: "1.2.3",
        models: ["echo-1"],
      }),
    );
  });

  test("runs a prompt without configuration", async () => {
    await using home = daemonHome();
    const run = startCli(home.state, ["run", "--agent", "opencode", "hello there"], pathWithOpencode(home));
    expect(await run.result).toMatchObject({ code: 0, stdout: expect.stringContaining("Echo: hello there") });
  });

  test("that is not logged in fails with the command to run", async () => {
    await using home = daemonHome();
    const command = [process.execPath, ECHO];
    await home.write(
      "config.json",
      JSON.stringify({ agents: { opencode: { driver: "acp", command, env: { ACP_LOGIN: "1" } } } }),
    );
    const run = startCli(home.state, ["run", "--agent", "opencode", "hello"]);
    const { code, stderr } = await run.result;
    expect(code).toBe(1);
    expect(stderr).toContain("local-daemon agents login opencode");
    const listed = await startCli(home.state, ["agents"]).result;
    expect(listed).toMatchObject({ code: 1, stdout: expect.stringContaining("login required") });
  });
});

test("an agent that is on the PATH of the login shell only runs, also as the default agent", async () => {
  await using home = daemonHome();
  const { PATH: path = "" } = pathWithOpencode(home);
  const [bin = ""] = path.split(delimiter);
  for (const file of [".profile", ".zprofile"]) writeFileSync(join(bin, file), `export PATH="${bin}:$PATH"\n`);
  const env = { HOME: bin, PATH: process.env.PATH };
  const run = startCli(home.state, ["run", "--agent", "opencode", "hello there"], env);
  expect(await run.result).toMatchObject({ code: 0, stdout: expect.stringContaining("Echo: hello there") });
  await startCli(home.state, ["stop"], env).result;
  await home.write("config.json", JSON.stringify({ defaultAgent: "opencode" }));
  const byDefault = startCli(home.state, ["run", "hello again"], env);
  expect(await byDefault.result).toMatchObject({ code: 0, stdout: expect.stringContaining("Echo: hello again") });
  await startCli(home.state, ["stop"], env).result;
  await home.write("config.json", JSON.stringify({ loginShell: false }));
  const { code, stderr } = await startCli(home.state, ["run", "--agent", "opencode", "hello"], env).result;
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('No agent is named "opencode"') });
});

describe("a login", () => {
  test("of a configured agent is that of the known agent with its program", async () => {
    await using home = daemonHome();
    const env = pathWithOpencode(home);
    const agents = { mine: { driver: "acp", command: ["/opt/opencode", "acp"] }, own: { command: ["/opt/own"] } };
    await home.write("config.json", JSON.stringify({ agents }));
    const { stderr } = await startCli(home.state, ["agents", "login", "mine"], env).result;
    expect(stderr).toContain("Running opencode auth login");
    const refused = await startCli(home.state, ["agents", "login", "own"], env).result;
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/one of .*mine/);
  });
});

test("a login of an agent that is not known names those that are", async () => {
  await using home = daemonHome();
  const { code, stderr } = await startCli(home.state, ["agents", "login", "nobody"]).result;
  expect(code).toBe(2);
  expect(stderr).toContain("opencode");
});
