import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type SessionId, sessionId, silentLogger, type TraceContext } from "@daemon-sdk/protocol";
import { expect, onTestFinished, test, vi } from "vitest";
import type { AgentEvents, AgentSpec } from "../../../src/agents/agent.js";
import { AgentHolder } from "../../../src/agents/hold/agent-holder.js";
import { AgentOutlet } from "../../../src/agents/hold/agent-outlet.js";
import { HOLD_CALLS } from "../../../src/agents/hold/hold-wire.js";
import { HolderLink } from "../../../src/agents/hold/holder-link.js";
import { AGENT_LIMITS } from "../../../src/limits/agent-limits.js";
import { tempHome } from "../../rendezvous/temp-home.js";
import { FakeAgent } from "../../sessions/fake-agent.js";

const S = sessionId("s-1");
const SPEC: AgentSpec = { name: "fake", command: ["fake"], driver: "stream-jsonrpc" };
const TRACE: TraceContext = { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`, tracestate: "k=v" };

/** What a daemon received of an agent, as names of events. */
class Received implements AgentEvents {
  readonly names: string[] = [];
  chars = 0;
  #waiters: { name: string; resolve: () => void }[] = [];
  readonly onNotification: AgentEvents["onNotification"] = ({ textDelta }) => {
    this.chars += String(textDelta).length;
    this.#note("notification");
  };
  readonly onRequest = () => this.#note("request");
  readonly onFault = () => this.#note("fault");
  readonly onConversation = () => this.#note("conversation");
  readonly onTurnStarted = () => this.#note("started");
  readonly onTurnEnded = () => this.#note("ended");
  readonly onExit = () => this.#note("exit");

  async seen(name: string): Promise<void> {
    if (!this.names.includes(name)) await new Promise<void>((resolve) => this.#waiters.push({ name, resolve }));
  }

  #note(name: string): void {
    this.names.push(name);
    for (const waiter of this.#waiters) if (waiter.name === name) waiter.resolve();
  }
}

/** A process that holds the agents of these sessions for the next daemon. */
async function holding(...ids: SessionId[]) {
  const home = tempHome();
  onTestFinished(() => home[Symbol.dispose]());
  const agents = ids.map((id, at) => {
    const outlet = new AgentOutlet(new Received());
    return { sessionId: id, agent: new FakeAgent(1_000 + at, SPEC, id, outlet), outlet };
  });
  const address = { socketPath: join(home.path, "holder.sock"), secret: "secret" };
  const rest = { instanceId: "i-1", estate: {}, logger: silentLogger };
  const holder = await AgentHolder.open({ ...address, ...rest, agents });
  onTestFinished(() => holder.close());
  const link = await HolderLink.open({ ...address, logger: silentLogger });
  onTestFinished(() => link.close());
  return { holder, link, agents: agents.map(({ agent }) => agent), address };
}

test("a release is done when the last agent ends meanwhile: nothing is left to hold", async () => {
  const { holder, link, agents } = await holding(S);
  const received = new Received();
  link.agentOf(S, received, false);
  await link.adopt();
  // The end of the agent and the release cross on the socket.
  agents[0]?.die();
  expect(await link.release()).toBe(false);
  await holder.ended;
});

test("a release leaves the agents to the next daemon, which gets what came between the two", async () => {
  const { holder, link, agents, address } = await holding(S);
  link.agentOf(S, new Received(), false);
  await link.adopt();
  expect(await link.release()).toBe(true);
  agents[0]?.delta("between");
  const next = await HolderLink.open({ ...address, logger: silentLogger });
  const received = new Received();
  const agent = next.agentOf(S, received, false);
  await next.adopt();
  await received.seen("notification");
  await agent.stop();
  expect(received.names).toEqual(["notification", "exit"]);
  await holder.ended;
});

test("a prompt reaches a held agent with the trace that it belongs to", async () => {
  const { link, agents } = await holding(S);
  const agent = link.agentOf(S, new Received(), false);
  await link.adopt();
  await agent.prompt({ sessionId: S, text: "hello" }, TRACE);
  await agents[0]?.prompted(1);
  expect(agents[0]?.traces).toEqual([TRACE]);
  await agent.prompt({ sessionId: S, text: "again" });
  expect(agents[0]?.traces).toEqual([TRACE, undefined]);
});

test("a held agent is paused while its daemon takes no more, goes on afterwards, and nothing is lost", async () => {
  const { link, agents } = await holding(S);
  const received = new Received();
  link.agentOf(S, received, false);
  await link.adopt();
  const [agent] = agents;
  const text = "x".repeat(AGENT_LIMITS.holdWaitingBytes / 4);
  for (let part = 0; part < 8; part += 1) agent?.delta(text);
  expect(agent?.isPaused).toBe(true);
  const goesOn = new Promise<void>((resolve) => {
    if (agent === undefined) return;
    const { setPaused } = agent;
    agent.setPaused = (isPaused) => {
      setPaused.call(agent, isPaused);
      if (!isPaused) resolve();
    };
  });
  await goesOn;
  agent?.end();
  await received.seen("ended");
  expect(received.chars).toBe(8 * text.length);
});

test("whoever does not have the secret is refused, and nothing is listed, adopted or changed for it", async () => {
  const { link, agents, address } = await holding(S);
  const other = HolderLink.open({ ...address, secret: "secre", logger: silentLogger });
  await expect(other).rejects.toThrow("Another secret is needed.");
  const stranger = connect(address.socketPath);
  onTestFinished(() => void stranger.destroy());
  const lines = createInterface(stranger)[Symbol.asyncIterator]();
  const envelope = { jsonrpc: "2.0", factoryApiVersion: "1.0.0", type: "request" };
  for (const method of [HOLD_CALLS.adopt, HOLD_CALLS.stop, HOLD_CALLS.prompt, HOLD_CALLS.release]) {
    stranger.write(`${JSON.stringify({ ...envelope, id: method, method, params: { sessionId: S } })}\n`);
    const { value } = await lines.next();
    expect(JSON.parse(value)).toMatchObject({ id: method, error: { message: "Take first." } });
  }
  expect(agents[0]?.prompts).toEqual([]);
  expect(agents[0]?.hasExited).toBe(false);
  // The daemon that has it adopts as before.
  const agent = link.agentOf(S, new Received(), false);
  await link.adopt();
  await agent.stop();
});

test("a holder that no daemon adopts in time ends its agents, and then itself; nobody adopts afterwards", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const { holder, link, agents, address } = await holding(S);
  vi.advanceTimersByTime(AGENT_LIMITS.holdMs - 1);
  expect(agents[0]?.hasExited).toBe(false);
  vi.advanceTimersByTime(1);
  await agents[0]?.exited;
  await holder.ended;
  await expect(link.adopt()).rejects.toMatchObject({ code: "CONNECTION_LOST" });
  await expect(HolderLink.open({ ...address, logger: silentLogger })).rejects.toMatchObject({ code: "ENOENT" });
});
