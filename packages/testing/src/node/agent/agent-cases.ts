import { newId } from "@daemon-sdk/protocol";
import { expectEqual, expectThat, isEndOf, isNotification, type WireFrame, wordFor } from "../../contract/index.js";
import { agentCase } from "./agent-bench.js";
import type { AgentCase } from "./agent-harness.js";

/** docs/agents.md, "The wire", "Opening", "How it is ended": laws that need no turn. */
export const LIFE_CASES: readonly AgentCase[] = [
  agentCase("A1-lines", "stdout holds one envelope a line, and nothing else", async (bench) => {
    const { agent } = await bench.open();
    await bench.turn(agent, bench.harness.prompts.say("hello"));
    expectEqual(agent.badLines, [], "lines that are no JSON object");
    for (const frame of agent.frames) {
      const { jsonrpc, factoryApiVersion, type = "" } = frame;
      const isOne = ["request", "response", "notification"].includes(type);
      const isWhole = jsonrpc === "2.0" && factoryApiVersion === "1.0.0" && isOne;
      expectThat(isWhole, `no envelope: ${JSON.stringify(frame).slice(0, 200)}`);
      const hasPrefix = type === "response" || frame.method?.startsWith("droid.") === true;
      expectThat(hasPrefix, `a method without the prefix droid.: ${String(frame.method)}`);
    }
  }),

  agentCase("A2-lenient", "unknown keys, notifications and responses are ignored", async (bench) => {
    const { agent } = await bench.open({ unheardOf: { deep: [1] } });
    agent.send({ type: "notification", method: "droid.unheard_of", params: {}, unheardOf: true });
    agent.send({ type: "response", id: newId(), result: {} });
    await bench.turn(agent, bench.harness.prompts.say("still here"));
  }),

  agentCase("A3-initialize", "initialize_session answers sessionId, session and settings", async (bench) => {
    const { result } = await bench.open();
    expectEqual(typeof result.sessionId, "string", "the type of sessionId");
    expectEqual((result.session as { messages?: unknown } | undefined)?.messages, [], "session.messages");
    expectEqual(typeof (result.settings as { modelId?: unknown } | undefined)?.modelId, "string", "settings.modelId");
  }),

  agentCase("A4-load-unknown", "an unknown session is -32004; -32601 if the agent stores none", async (bench) => {
    const { error } = await bench.start().call("load_session", { sessionId: newId(), cwd: process.cwd() });
    expectThat(error?.code === -32_004 || error?.code === -32_601, `the code is ${String(error?.code)}`);
  }),

  agentCase(
    "A5-load",
    "a new process loads the conversation that an earlier one had",
    async (bench) => {
      const first = await bench.open();
      const { messageId } = await bench.turn(first.agent, bench.harness.prompts.say("remember-me"));
      first.agent.endInput();
      await first.agent.exit();
      const cwd = bench.harness.workingDirectory ?? process.cwd();
      const loaded = await bench.start().result("load_session", { sessionId: first.result.sessionId, cwd });
      const { messages = [] } = loaded.session as { messages?: { id: string }[] };
      expectThat(
        messages.some(({ id }) => id === messageId),
        "the loaded conversation lacks the message",
      );
      expectThat(JSON.stringify(messages).includes("remember-me"), "the loaded conversation lacks the answer");
    },
    ["conversations"],
  ),

  agentCase("A6-unknown-method", "an unknown method is answered with -32601", async (bench) => {
    const { agent } = await bench.open();
    const { error } = await agent.call("no_such_method", { sessionId: bench.sessionId });
    expectEqual(error?.code, -32_601, "the code");
  }),

  agentCase("A7-bad-params", "a prompt without text is refused with -32602, and there is no turn", async (bench) => {
    const { agent } = await bench.open();
    const { error } = await agent.call("add_user_message", { sessionId: bench.sessionId, messageId: newId() });
    expectEqual(error?.code, -32_602, "the code");
    await bench.turn(agent, bench.harness.prompts.say("and on"));
    expectEqual(agent.frames.filter((frame) => isNotification(frame, "agent_turn_completed")).length, 1, "turns");
  }),

  agentCase("A8-end-of-input", "the process exits with 0 when its stdin ends", async (bench) => {
    const { agent } = await bench.open();
    await bench.turn(agent, bench.harness.prompts.say("goodbye"));
    agent.endInput();
    expectEqual(await agent.exit(), { code: 0, signal: null }, "the exit");
  }),

  agentCase(
    "A9-end-in-mid-turn",
    "the process exits when its stdin ends in the middle of a turn",
    async (bench) => {
      const { agent } = await bench.open();
      bench.prompt(agent, bench.harness.prompts.endless ?? "");
      await agent.waitFor((frame) => isNotification(frame, "assistant_text_delta"), "the turn's first words");
      agent.endInput();
      const { signal } = await agent.exit();
      expectThat(signal === null, `the process was ended by ${signal}. ${agent.stderr}`);
    },
    ["endless"],
  ),
];

/** docs/agents.md, "A turn, in order" and "Interrupt". */
export const TURN_CASES: readonly AgentCase[] = [
  agentCase(
    "A10-acknowledged",
    "a prompt is answered with a result before anything of its turn is told",
    async (bench) => {
      const { agent } = await bench.open();
      const { frames, requestId } = await bench.turn(agent, bench.harness.prompts.say("ack"));
      const answer = frames.findIndex(({ type, id }) => type === "response" && id === requestId);
      const first = frames.findIndex((frame) => isNotification(frame, "create_message"));
      expectEqual(frames[answer]?.error, undefined, "the error of the acknowledgement");
      expectThat(answer !== -1 && answer < first, "the turn was told before it was acknowledged");
    },
  ),

  agentCase("A11-order", "the notifications of a turn are in order, from its first state to idle", async (bench) => {
    const { agent } = await bench.open();
    const words = (await bench.turn(agent, bench.harness.prompts.say("order"))).frames.map(wordFor);
    const [busy = ""] = words.filter((word) => word.startsWith("state:"));
    expectThat(busy !== "" && busy !== "state:idle", "no state other than idle was told");
    const places = [busy, "create_message", "assistant_text_delta", "agent_turn_completed"].map((word) =>
      words.indexOf(word),
    );
    const end = words.lastIndexOf("state:idle");
    expectEqual(
      places,
      places.toSorted((a, b) => a - b),
      `the order of ${words.join(" ")}`,
    );
    expectThat(!places.includes(-1) && end > (places.at(-1) ?? end), `something is missing in ${words.join(" ")}`);
  }),

  agentCase(
    "A12-own-message",
    "the person's message is told with its messageId and the request's id",
    async (bench) => {
      const { agent } = await bench.open();
      const { frames, messageId, requestId } = await bench.turn(agent, bench.harness.prompts.say("mine"));
      const told = messagesIn(frames).find(({ message }) => message.role === "user");
      expectEqual([told?.message.id, told?.requestId], [messageId, requestId], "id and requestId");
    },
  ),

  agentCase("A13-text", "the pieces of an answer, joined, are the text of its message", async (bench) => {
    const { agent } = await bench.open();
    const { frames } = await bench.turn(agent, bench.harness.prompts.say("wholeness"));
    const deltas = frames.flatMap(({ params }) => params?.notification ?? []);
    const pieces = deltas.filter(({ type }) => type === "assistant_text_delta").map(({ textDelta }) => textDelta);
    const answer = messagesIn(frames).findLast(({ message }) => message.role === "assistant");
    const text = answer?.message.content.map((block) => block.text ?? "").join("");
    expectEqual(text, pieces.join(""), "the text of the message");
    expectThat(text?.includes("wholeness") === true, `the answer is ${String(text)}`);
  }),

  agentCase("A14-one-end", "each turn ends once, by its messageId and a reason; the next one runs", async (bench) => {
    const { agent } = await bench.open();
    const ids: string[] = [];
    for (const word of ["one", "two", "three"])
      ids.push((await bench.turn(agent, bench.harness.prompts.say(word))).messageId);
    const ends = agent.frames.filter((frame) => isNotification(frame, "agent_turn_completed"));
    expectEqual(
      ends.map(({ params }) => params?.notification?.turnId),
      ids,
      "turnIds of all ends",
    );
    const reasons = new Set(ends.map(({ params }) => params?.notification?.reason));
    expectEqual([...reasons], ["completed"], "reasons");
  }),

  agentCase("A15-nothing-to-interrupt", "interrupt_session is answered also when nothing runs", async (bench) => {
    const { agent } = await bench.open();
    await agent.result("interrupt_session", { sessionId: bench.sessionId });
    await bench.turn(agent, bench.harness.prompts.say("and on"));
  }),

  agentCase(
    "A16-interrupt",
    "an interrupt ends the turn as cancelled while it runs, and the next one runs",
    async (bench) => {
      const { agent } = await bench.open();
      const { messageId } = bench.prompt(agent, bench.harness.prompts.endless ?? "");
      await agent.waitFor((frame) => isNotification(frame, "assistant_text_delta"), "the turn's first words");
      await agent.result("interrupt_session", { sessionId: bench.sessionId });
      const end = await bench.turnEnd(agent, messageId);
      expectEqual(end.params?.notification?.reason, "cancelled", "the reason");
      await bench.turn(agent, bench.harness.prompts.say("after it"));
      expectEqual(agent.frames.filter((frame) => isEndOf(messageId, frame)).length, 1, "ends of the interrupted turn");
    },
    ["endless"],
  ),
];

interface ToldMessage {
  readonly requestId?: unknown;
  readonly message: { readonly id: string; readonly role: string; readonly content: { readonly text?: string }[] };
}

function messagesIn(frames: readonly WireFrame[]): ToldMessage[] {
  const told = frames.filter((frame) => isNotification(frame, "create_message"));
  return told.flatMap(({ params }) =>
    params?.notification === undefined ? [] : [params.notification as unknown as ToldMessage],
  );
}
