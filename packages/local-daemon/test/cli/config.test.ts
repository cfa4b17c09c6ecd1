import { once } from "node:events";
import { expect, test } from "vitest";
import { type DaemonHome, daemonHome } from "../rendezvous/daemon-home.js";
import { runCli, startCli } from "./run-cli.js";

const SECRET = "sk-0123456789abcdef0123";

function configure(home: DaemonHome, config: object): Promise<void> {
  return home.write("config.json", JSON.stringify(config, null, 2));
}

test("config check prints every fault with file, line and column, and exits with 1", async () => {
  await using home = daemonHome();
  await configure(home, { port: "80", agnets: {}, apiKeys: [SECRET.slice(0, 8)] });
  const { code, stdout } = await runCli(home.state, "config", "check");
  expect(code).toBe(1);
  expect(stdout).toContain(`config.json:2:3: port: expected a whole number from 0 to 65535, found a text\n`);
  expect(stdout).toContain(`config.json:5:5: apiKeys.0: expected a key of at least 16 characters, found a text\n`);
  expect(stdout).toContain(`config.json:3:3: agnets: unknown key; did you mean "agents"?\n`);
  expect(stdout).not.toContain("sk-");
});

test("config check finds what only a start would find, in a file that is named, as JSON", async () => {
  await using home = daemonHome();
  await home.write("other.json", JSON.stringify({ defaultAgent: "nobody" }));
  const path = `${home.state}/other.json`;
  const { code, stdout } = await runCli(home.state, "config", "check", path, "--json");
  const found = JSON.parse(stdout);
  expect([code, found.ok, found.file]).toEqual([1, false, path]);
  expect(found.problems).toEqual([
    { key: "defaultAgent", line: 1, column: 2, message: expect.stringContaining("workspace-agent") },
  ]);
  await configure(home, { $schema: "./config.schema.json", port: 0 });
  expect(await runCli(home.state, "config", "check")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/: ok\n$/),
  });
  expect((await runCli(home.state, "config", "check", "--nonsense")).code).toBe(2);
});

test("config show prints the values that hold, and no secret", async () => {
  await using home = daemonHome();
  const agent = { command: ["node", "a.mjs", "--token", SECRET], env: { MY_API_KEY: "tiny", PLAIN: "1" }, maxLive: 2 };
  await configure(home, { agents: { mine: agent }, apiKeys: [SECRET, { key: SECRET.replace("0", "1"), name: "ci" }] });
  const { code, stdout } = await runCli(home.state, "config", "show", "--json");
  expect(code).toBe(0);
  const shown = JSON.parse(stdout);
  expect(shown).toMatchObject({ defaultAgent: "workspace-agent", logLevel: "info", limits: { drainMs: 5_000 } });
  expect(shown.agents.mine).toMatchObject({ maxLive: 2, env: { MY_API_KEY: "[redacted]", PLAIN: "1" } });
  expect(shown.apiKeys).toEqual([{ key: "[redacted]" }, { key: "[redacted]", name: "ci" }]);
  for (const secret of ["sk-", "tiny"]) expect(stdout).not.toContain(secret);
});

test("a changed file is told by status, and taken up by reload", async () => {
  await using home = daemonHome();
  await configure(home, { agentPresets: false });
  await runCli(home.state, "start");
  expect((await runCli(home.state, "status")).stdout).not.toContain("configuration");
  await configure(home, { agentPresets: false, agents: { mine: { command: ["true"] } }, port: 0, logLevel: "warn" });
  const { stdout } = await runCli(home.state, "status");
  expect(stdout).toContain("changed since the start: run local-daemon reload (agents.mine, port, logLevel)");
  expect(await runCli(home.state, "reload")).toMatchObject({
    code: 0,
    stdout: "Applied: agents.mine.\nAt the next start of the daemon: port, logLevel.\n",
  });
  const after = JSON.parse((await runCli(home.state, "status", "--json")).stdout);
  expect(after.agents).toEqual(["workspace-agent", "mine"]);
  expect(after.configuration).toEqual({ applied: [], atNextStart: ["port", "logLevel"] });
});

test("a reload of a faulty file changes nothing, and says why", async () => {
  await using home = daemonHome();
  await configure(home, { agentPresets: false });
  await runCli(home.state, "start");
  await configure(home, { agentPresets: false, agnets: {} });
  const { code, stderr } = await runCli(home.state, "reload");
  expect(code).toBe(1);
  expect(stderr).toContain('line 3, column 3: agnets: unknown key; did you mean "agents"?');
  expect((await runCli(home.state, "status")).stdout).toContain("faulty, and not in use");
});

test("a hang-up lets a daemon without a terminal reload", async () => {
  await using home = daemonHome();
  await configure(home, { agentPresets: false });
  const run = startCli(home.state, ["start", "--foreground"]);
  await run.wrote("Listening on");
  await configure(home, { agentPresets: false, agents: { mine: { command: ["true"] } } });
  run.child.kill("SIGHUP");
  await expect
    .poll(async () => JSON.parse((await runCli(home.state, "status", "--json")).stdout).agents)
    .toEqual(["workspace-agent", "mine"]);
  const exit = once(run.child, "exit");
  run.child.kill("SIGTERM");
  expect(await exit).toEqual([0, null]);
});
