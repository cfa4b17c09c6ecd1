import { mkdirSync, symlinkSync } from "node:fs";
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

test("a login of an agent that is not known names those that are", async () => {
  await using home = daemonHome();
  const { code, stderr } = await startCli(home.state, ["agents", "login", "nobody"]).result;
  expect(code).toBe(1);
  expect(stderr).toContain("opencode");
});
