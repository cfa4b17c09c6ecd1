import { sessionId } from "@daemon-sdk/protocol";
import { describe, expect, test } from "vitest";
import { agentEnvironment } from "../../src/agents/environment.js";
import { misbehaving, openAgent } from "./agent-harness.js";

const inherited = {
  HOME: "/home/me",
  LOGNAME: "me",
  PATH: "/bin",
  SHELL: "/bin/sh",
  TERM: "xterm",
  USER: "me",
  LANG: "de_DE",
  LC_ALL: "C",
  LC_TIME: "C",
  TMPDIR: "/tmp",
};
const daemon = {
  ...inherited,
  SSH_AUTH_SOCK: "canary",
  NODE_OPTIONS: "--canary",
  GITHUB_TOKEN: "canary",
  LCX: "canary",
  DAEMON_SDK_HOME: "canary",
  DAEMON_SDK_INSTANCE: "another daemon's",
  EXTRA: "wanted",
};
const source = { env: daemon, instanceId: "i-1", agentStateDir: "/state/agents" };

describe("an agent's environment (S8)", () => {
  test("is the allow-list and our markers, and nothing else", () => {
    expect(agentEnvironment(source, {}, sessionId("s-1"))).toEqual({
      ...inherited,
      DAEMON_SDK_INSTANCE: "i-1",
      DAEMON_SDK_AGENT_STATE: "/state/agents",
      DAEMON_SDK_SESSION: "s-1",
    });
  });

  test("grows by what its spec names, from the daemon's environment or with a value of its own", () => {
    const environment = agentEnvironment(
      source,
      { inheritEnv: ["EXTRA", "ABSENT"], env: { HOME: "/else" } },
      sessionId("s"),
    );
    expect(environment).toMatchObject({ EXTRA: "wanted", HOME: "/else" });
    expect(environment).not.toHaveProperty("ABSENT");
  });

  test("cannot have its markers replaced by the spec", () => {
    const env = { DAEMON_SDK_INSTANCE: "forged", DAEMON_SDK_SESSION: "forged", DAEMON_SDK_AGENT_STATE: "forged" };
    expect(JSON.stringify(agentEnvironment(source, { env }, sessionId("s")))).not.toContain("forged");
  });

  test("names no directory where the daemon has none, whatever the spec says", () => {
    const env = { DAEMON_SDK_AGENT_STATE: "forged" };
    expect(agentEnvironment({ ...source, agentStateDir: undefined }, { env }, sessionId("s-1"))).toEqual({
      ...inherited,
      DAEMON_SDK_INSTANCE: "i-1",
      DAEMON_SDK_SESSION: "s-1",
    });
  });

  test("is what the process really sees", async () => {
    const env = { ...daemon, PATH: process.env.PATH };
    await using running = await openAgent({ command: misbehaving(), env, spec: { inheritEnv: ["EXTRA"] } });
    await running.prompt("env");
    const seen = JSON.parse(await running.witness.until(() => running.witness.text || undefined));
    expect(JSON.stringify(seen)).not.toContain("canary");
    expect(seen).toMatchObject({ EXTRA: "wanted", DAEMON_SDK_SESSION: running.sessionId });
    expect(seen.DAEMON_SDK_AGENT_STATE).toBe(`${running.stateDir}/agents`);
    expect(Object.keys(seen)).toHaveLength(14);
  });
});
