import { expectEqual, expectThat, isNotification, type WireFrame } from "../../contract/index.js";
import { type AgentBench, agentCase } from "./agent-bench.js";
import type { AgentCase } from "./agent-harness.js";
import type { AgentLine } from "./agent-line.js";

/** docs/agents.md, "Asking people". */
export const ASKING_CASES: readonly AgentCase[] = [
  agentCase(
    "A17-permission",
    "a permission names tool uses and options, and a yes lets the tool run",
    async (bench) => {
      const { agent, request, messageId } = await asked(bench, "permission");
      const { toolUses, options } = (request.params ?? {}) as { toolUses?: unknown[]; options?: { value: string }[] };
      expectEqual(request.method, "droid.request_permission", "the method");
      expectThat((toolUses?.length ?? 0) > 0, "the request names no tool uses");
      const [yes] = (options ?? []).map(({ value }) => value).filter((value) => value !== "cancel");
      expectThat(yes !== undefined, "the request offers nothing but cancel");
      agent.send({ type: "response", id: request.id, result: { selectedOption: yes } });
      const end = await bench.turnEnd(agent, messageId);
      expectEqual(end.params?.notification?.reason, "completed", "the reason of the end");
      expectEqual(
        resultsOf(agent).map(({ isError }) => isError === true),
        [false],
        "isError of its tool results",
      );
    },
    ["permission"],
  ),

  agentCase(
    "A18-refused",
    "after a no there is one tool_result with isError, and the turn ends as completed",
    async (bench) => {
      const { agent, request, messageId } = await asked(bench, "permission");
      agent.send({ type: "response", id: request.id, result: { selectedOption: "cancel" } });
      const end = await bench.turnEnd(agent, messageId);
      expectEqual(end.params?.notification?.reason, "completed", "the reason of the end");
      expectEqual(
        resultsOf(agent).map(({ isError }) => isError === true),
        [true],
        "isError of its tool results",
      );
    },
    ["permission"],
  ),

  agentCase(
    "A19-no-clear-yes",
    "anything but a clear yes is a no",
    async (bench) => {
      const { agent, request, messageId } = await asked(bench, "permission");
      agent.send({ type: "response", id: request.id, error: { code: -32_603, message: "nobody is there" } });
      await bench.turnEnd(agent, messageId);
      expectThat(!resultsOf(agent).some(({ isError }) => isError !== true), "the tool ran without a yes");
    },
    ["permission"],
  ),

  agentCase(
    "A20-interrupted-question",
    "an interrupt ends a turn that waits for an answer",
    async (bench) => {
      const { agent, messageId } = await asked(bench, "permission");
      await agent.result("interrupt_session", { sessionId: bench.sessionId });
      const end = await bench.turnEnd(agent, messageId);
      expectEqual(end.params?.notification?.reason, "cancelled", "the reason");
    },
    ["permission"],
  ),

  agentCase(
    "A21-question",
    "a question has its options, and its turn goes on with the answer and without one",
    async (bench) => {
      for (const isAnswered of [true, false]) {
        const { agent, request, messageId } = await asked(bench, "question");
        const { questions = [], toolCallId } = (request.params ?? {}) as {
          questions?: Question[];
          toolCallId?: unknown;
        };
        expectEqual(
          [request.method, typeof toolCallId],
          ["droid.ask_user", "string"],
          "method, and type of toolCallId",
        );
        const answers = questions.map(({ index, question, options }) => ({
          index,
          question,
          answer: options[0] ?? "",
        }));
        expectThat(answers.length > 0, "the request asks nothing");
        const result = isAnswered ? { answers } : { cancelled: true, answers: [] };
        agent.send({ type: "response", id: request.id, result });
        const end = await bench.turnEnd(agent, messageId);
        expectEqual(end.params?.notification?.reason, "completed", "the reason of the end");
      }
    },
    ["question"],
  ),
];

interface Question {
  readonly index: number;
  readonly question: string;
  readonly options: readonly string[];
}

/** Starts a turn that waits for the user, in a process of its own. */
async function asked(bench: AgentBench, kind: "permission" | "question") {
  const { agent } = await bench.open();
  const { messageId } = bench.prompt(agent, bench.harness.prompts[kind] ?? "");
  const request = await agent.waitFor(({ type }) => type === "request", "a request of the agent");
  return { agent, messageId, request };
}

function resultsOf(agent: AgentLine): Readonly<Record<string, unknown>>[] {
  const told = agent.frames.filter((frame: WireFrame) => isNotification(frame, "tool_result"));
  return told.flatMap(({ params }) => params?.notification ?? []);
}
