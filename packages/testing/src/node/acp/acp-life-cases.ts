import { newId } from "@daemon-sdk/protocol";
import { expectEqual, expectThat } from "../../contract/index.js";
import type { AgentCase } from "../agent/index.js";
import { acpCase } from "./acp-bench.js";
import { textOf, updateOf } from "./acp-frame.js";

/** docs/agents.md, "Agents that speak ACP": the wire, opening, and the end of the process. */
export const ACP_LIFE_CASES: readonly AgentCase[] = [
  acpCase("C1-lines", "stdout holds one message a line, and nothing else", async (bench) => {
    const session = await bench.open();
    await bench.turn(session, bench.harness.prompts.say("hello"));
    expectEqual(session.agent.badLines, [], "lines that are no JSON object");
    for (const frame of session.agent.frames) {
      const isOne = "method" in frame || "result" in frame || "error" in frame;
      expectThat(frame.jsonrpc === "2.0" && isOne, `no message: ${JSON.stringify(frame).slice(0, 200)}`);
    }
  }),

  acpCase("C2-lenient", "unknown keys, notifications and responses are ignored", async (bench) => {
    const session = await bench.open();
    const { agent } = session;
    const before = agent.frames.length;
    agent.notify("_unheard/of", { deep: [1] });
    agent.notify("$/unheard_of", {});
    agent.send({ id: newId(), result: {} });
    const { stopReason } = await bench.turn(session, bench.harness.prompts.say("still here"));
    expectEqual(stopReason, "end_turn", "the stop reason");
    const faults = agent.frames.slice(before).filter(({ error }) => error !== undefined);
    expectEqual(faults, [], "errors that answer what needs no answer");
  }),

  acpCase("C3-initialize", "initialize answers protocolVersion 1 and agentCapabilities", async (bench) => {
    const result = await bench.start().result("initialize", { protocolVersion: 1, clientCapabilities: {} });
    expectEqual(result.protocolVersion, 1, "protocolVersion");
    expectEqual(typeof result.agentCapabilities, "object", "the type of agentCapabilities");
  }),

  acpCase("C4-newer-client", "a client of a later version is answered with the agent's own version", async (bench) => {
    const result = await bench.start().result("initialize", { protocolVersion: 65_535, clientCapabilities: {} });
    const { protocolVersion } = result;
    const isOwn = Number.isInteger(protocolVersion) && Number(protocolVersion) < 65_535;
    expectThat(isOwn, `protocolVersion is ${JSON.stringify(protocolVersion)}`);
  }),

  acpCase("C5-new-session", "session/new answers a sessionId, another one each time", async (bench) => {
    const { agent, sessionId } = await bench.open();
    const second = await bench.open(agent);
    expectThat(sessionId !== "" && second.sessionId !== sessionId, "two sessions have the same id, or an empty one");
  }),

  acpCase("C6-unknown-method", "an unknown method is answered with -32601", async (bench) => {
    const { error } = await (await bench.initialized()).call("_no/such_method", {});
    expectEqual(error?.code, -32_601, "the code");
  }),

  acpCase("C7-ids", "a request is answered with its own id, be it a number or a text", async (bench) => {
    const { agent } = await bench.open();
    for (const id of [0, 7, "seven", newId()]) {
      agent.send({ id, method: "_no/such_method", params: {} });
      const { error } = await agent.response(id, `a response with the id ${JSON.stringify(id)}`);
      expectThat(error !== undefined, "an unknown method was answered with a result");
    }
  }),

  acpCase("C8-unknown-session", "a prompt for an unknown session is an error, and there is no turn", async (bench) => {
    const session = await bench.open();
    const unknown = { agent: session.agent, sessionId: newId() };
    const { error } = await session.agent.response(bench.prompt(unknown, "hello"), "the response to the prompt");
    expectThat(error !== undefined, "the prompt was answered with a result");
    await bench.turn(session, bench.harness.prompts.say("and on"));
    const told = session.agent.frames.filter((frame) => updateOf(unknown.sessionId, frame) !== undefined);
    expectEqual(told, [], "updates of the unknown session");
  }),

  acpCase(
    "C9-load",
    "a new process loads the conversation, tells it before its answer, and goes on in it",
    async (bench) => {
      const first = await bench.open();
      await bench.turn(first, bench.harness.prompts.say("remember-me"));
      first.agent.endInput();
      await first.agent.exit();
      const again = { agent: await bench.initialized(), sessionId: first.sessionId };
      const params = { sessionId: first.sessionId, cwd: bench.cwd, mcpServers: [] };
      await again.agent.result("session/load", params);
      const told = again.agent.frames.map((frame) => updateOf(first.sessionId, frame));
      const prompts = told.map((update) => textOf(update, "user_message_chunk")).join("");
      const answers = told.map((update) => textOf(update, "agent_message_chunk")).join("");
      expectThat(prompts.includes("remember-me"), "the prompt was not told before the answer to session/load");
      expectThat(answers.includes("remember-me"), "the answer was not told before the answer to session/load");
      expectEqual((await bench.turn(again, bench.harness.prompts.say("on"))).stopReason, "end_turn", "the stop reason");
    },
    ["conversations"],
  ),

  acpCase(
    "C10-load-unknown",
    "loading an unknown session is an error",
    async (bench) => {
      const agent = await bench.initialized();
      const { error } = await agent.call("session/load", { sessionId: newId(), cwd: bench.cwd, mcpServers: [] });
      expectThat(error !== undefined, "an unknown session was loaded");
    },
    ["conversations"],
  ),

  acpCase("C11-end-of-input", "the process exits with 0 when its stdin ends", async (bench) => {
    const session = await bench.open();
    await bench.turn(session, bench.harness.prompts.say("goodbye"));
    session.agent.endInput();
    expectEqual(await session.agent.exit(), { code: 0, signal: null }, "the exit");
  }),

  acpCase(
    "C12-end-in-mid-turn",
    "the process exits when its stdin ends in the middle of a turn",
    async (bench) => {
      const session = await bench.open();
      bench.prompt(session, bench.harness.prompts.endless ?? "");
      await bench.begun(session);
      session.agent.endInput();
      const { signal } = await session.agent.exit();
      expectThat(signal === null, `the process was ended by ${signal}. ${session.agent.stderr}`);
    },
    ["endless"],
  ),
];
