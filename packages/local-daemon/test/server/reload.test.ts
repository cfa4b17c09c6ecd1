import { expect, test } from "vitest";
import { probeLocalDaemon } from "../../src/rendezvous/probe.js";
import { TestClient } from "../sessions/harness.js";
import { agentConfig, type DaemonDesk, daemonDesk } from "./daemon-desk.js";

const KEY = "a-key-that-will-be-gone";
const S = "5a000000-0000-4000-8000-00000000000a";

/** A link on which nobody has authenticated. */
async function stranger(desk: DaemonDesk) {
  const found = await probeLocalDaemon(desk.stateDir);
  if (found === undefined) throw new TypeError("no daemon");
  return found.link.transport;
}

async function agentsOffered(desk: DaemonDesk): Promise<string[]> {
  const client = new TestClient(await stranger(desk));
  const { result = {} } = await client.authenticate({ apiKey: KEY });
  return (result.capabilities as { agents: string[] }).agents;
}

test("agents and limits of a reloaded configuration hold at once; a turn that runs goes on", async () => {
  await using desk = daemonDesk();
  const daemon = await desk.start({ apiKeys: [KEY] });
  const client = await desk.connect();
  await client.call("initialize_session", { token: "t", machineId: "m", cwd: desk.cwd, sessionId: S });
  await client.call("add_user_message", { sessionId: S, text: "count 3 every 50", messageId: "m1" });
  const { agents } = agentConfig();
  const next = { ...agents, second: { command: ["true"] as const } };
  expect(await daemon.reload({ agents: next, apiKeys: [KEY], limits: { liveAgents: 7, openSessions: 1 } })).toEqual({
    applied: ["agents.second", "limits.liveAgents", "limits.openSessions"],
    atNextStart: [],
  });
  expect(await agentsOffered(desk)).toEqual(["workspace-agent", "second"]);
  const { error } = await client.call("initialize_session", { token: "t", machineId: "m", cwd: desk.cwd });
  expect(error?.message).toContain("openSessions");
  expect(await client.turnEnd("m1")).toMatchObject({ reason: "completed" });
});

test("what sockets and the relay hold is named, and holds from the next start on", async () => {
  await using desk = daemonDesk();
  const daemon = await desk.start();
  const report = await daemon.reload({
    ...agentConfig(),
    port: 0,
    allowedOrigins: ["https://a.example"],
    limits: { sweepMs: 1 },
  });
  expect(report).toEqual({ applied: [], atNextStart: ["port", "allowedOrigins", "limits.sweepMs"] });
  expect(daemon.endpoint.port).toBeUndefined();
});

test("a key that is gone is refused, and so are its open connection and its unused ticket; its session stays", async () => {
  await using desk = daemonDesk();
  const daemon = await desk.start({ apiKeys: [KEY] });
  const transport = await stranger(desk);
  const client = new TestClient(transport);
  await client.authenticate({ apiKey: KEY });
  await client.call("initialize_session", { token: "t", machineId: "m", cwd: desk.cwd, sessionId: S });
  const { result } = await client.call("create_ticket", {});
  await daemon.reload(agentConfig());
  await client.closed();
  for (const credential of [{ apiKey: KEY }, { ticket: result?.ticket }]) {
    const { error } = await new TestClient(await stranger(desk)).authenticate(credential);
    expect(error?.message).toContain("refused");
  }
  const opened = await (await desk.connect()).call("list_opened_sessions", {});
  expect(JSON.stringify(opened.result)).toContain(S);
});

test("a faulty configuration changes nothing", async () => {
  await using desk = daemonDesk();
  const daemon = await desk.start({ apiKeys: [KEY] });
  await expect(daemon.reload({ ...agentConfig(), defaultAgent: "nobody" })).rejects.toThrow(/defaultAgent/);
  await expect(daemon.reload({ ...agentConfig(), apiKeys: [{ key: KEY, agents: ["nobody"] }] })).rejects.toThrow(
    /agents/,
  );
  await expect(daemon.reload({ ...agentConfig(), limits: { liveAgents: 0 } })).rejects.toThrow(/liveAgents/);
  expect(await agentsOffered(desk)).toEqual(["workspace-agent"]);
});

test("over the wire only the person reloads, and a daemon without a file says so", async () => {
  await using desk = daemonDesk();
  await desk.start({ apiKeys: [KEY] });
  const { error } = await (await desk.connect()).call("reload_configuration", {});
  expect(error).toMatchObject({ code: -32_601, message: expect.stringContaining("no configuration file") });
  const client = new TestClient(await stranger(desk));
  await client.authenticate({ apiKey: KEY });
  const refused = await client.call("reload_configuration", { check: true });
  expect(refused.error?.data).toMatchObject({ code: "NOT_ALLOWED" });
});
