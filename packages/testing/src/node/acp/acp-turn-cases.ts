import { expectEqual, expectThat, quiet } from "../../contract/index.js";
import type { AgentCase } from "../agent/index.js";
import { type AcpBench, acpCase } from "./acp-bench.js";
import { type AcpFrame, type AcpUpdate, isOfTurn, textOf, updateOf } from "./acp-frame.js";
import { type AcpLine, isResponse } from "./acp-line.js";

/** docs/agents.md, "Agents that speak ACP": turns, cancel and permission. */
export const ACP_TURN_CASES: readonly AgentCase[] = [
  acpCase("C13-one-end", "each prompt is answered once, with a stop reason; the next one runs", async (bench) => {
    const session = await bench.open();
    for (const word of ["one", "two", "three"]) {
      const prompt = bench.prompt(session, bench.harness.prompts.say(word));
      expectEqual(await bench.end(session, prompt), "end_turn", "the stop reason");
      await quiet();
      expectEqual(bench.answersTo(session, prompt), 1, "answers to the prompt");
    }
  }),

  acpCase("C14-text", "the answer comes in pieces of text under the session's id", async (bench) => {
    const session = await bench.open();
    const { frames } = await bench.turn(session, bench.harness.prompts.say("wholeness"));
    const text = frames.map((frame) => textOf(updateOf(session.sessionId, frame), "agent_message_chunk")).join("");
    expectThat(text.includes("wholeness"), `the answer is ${JSON.stringify(text)}`);
    const strange = frames.filter(
      ({ method, params }) => method === "session/update" && params?.sessionId !== session.sessionId,
    );
    expectEqual(strange, [], "updates of other sessions");
  }),

  acpCase("C15-nothing-behind", "nothing of a turn comes after the answer to its prompt", async (bench) => {
    const session = await bench.open();
    const prompt = bench.prompt(session, bench.harness.prompts.say("order"));
    await bench.end(session, prompt);
    await quiet();
    const { frames } = session.agent;
    const behind = frames.slice(frames.findIndex((frame) => isResponse(frame, prompt)));
    const late = behind.filter((frame) => isOfTurn(updateOf(session.sessionId, frame)));
    expectEqual(late, [], "updates behind the end");
  }),

  acpCase("C16-nothing-to-cancel", "a cancel while nothing runs has no effect", async (bench) => {
    const session = await bench.open();
    session.agent.notify("session/cancel", { sessionId: session.sessionId });
    const { stopReason } = await bench.turn(session, bench.harness.prompts.say("and on"));
    expectEqual(stopReason, "end_turn", "the stop reason of the next prompt");
  }),

  acpCase(
    "C17-cancel",
    "a cancel ends the prompt as cancelled while it runs, once, and the next one runs",
    async (bench) => {
      const session = await bench.open();
      const prompt = bench.prompt(session, bench.harness.prompts.endless ?? "");
      await bench.begun(session);
      session.agent.notify("session/cancel", { sessionId: session.sessionId });
      expectEqual(await bench.end(session, prompt), "cancelled", "the stop reason");
      const next = await bench.turn(session, bench.harness.prompts.say("after it"));
      expectEqual(next.stopReason, "end_turn", "the stop reason of the next prompt");
      expectEqual(bench.answersTo(session, prompt), 1, "answers to the cancelled prompt");
    },
    ["endless"],
  ),

  acpCase(
    "C18-permission",
    "a permission names its tool call and options of known kinds; after a yes the tool completes",
    async (bench) => {
      const asked = await askedFor(bench);
      const { toolCall, options = [] } = asked.params;
      expectThat(typeof toolCall?.toolCallId === "string", "the request names no toolCallId");
      const kinds = options.map(
        ({ optionId, name, kind }) => typeof optionId === "string" && typeof name === "string" && KINDS.has(kind),
      );
      expectThat(kinds.length > 0 && kinds.every(Boolean), `the options are ${JSON.stringify(options)}`);
      asked.choose("allow");
      expectEqual(await asked.end(), "end_turn", "the stop reason");
      expectEqual(
        statesOf(asked.agent, asked.sessionId, toolCall?.toolCallId).at(-1),
        "completed",
        "the tool's last status",
      );
    },
    ["permission"],
  ),

  acpCase(
    "C19-refused",
    "after a no the tool does not complete, and the prompt is answered",
    async (bench) => {
      const asked = await askedFor(bench);
      asked.choose("reject");
      await asked.end();
      expectThat(!asked.hasCompleted(), "the tool completed after a no");
    },
    ["permission"],
  ),

  acpCase(
    "C20-no-clear-yes",
    "anything but a clear yes is a no",
    async (bench) => {
      const asked = await askedFor(bench);
      asked.answer({ error: { code: -32_603, message: "nobody is there" } });
      await asked.agent.response(asked.prompt, "the answer to the prompt");
      expectThat(!asked.hasCompleted(), "the tool completed without a yes");
    },
    ["permission"],
  ),

  acpCase(
    "C21-cancelled-question",
    "a cancel while a permission is asked for ends the prompt as cancelled, and the tool does not run",
    async (bench) => {
      const asked = await askedFor(bench);
      asked.answer({ result: { outcome: { outcome: "cancelled" } } });
      asked.agent.notify("session/cancel", { sessionId: asked.sessionId });
      expectEqual(await asked.end(), "cancelled", "the stop reason");
      expectThat(!asked.hasCompleted(), "the tool completed after the cancel");
    },
    ["permission"],
  ),
];

const KINDS: ReadonlySet<unknown> = new Set(["allow_once", "allow_always", "reject_once", "reject_always"]);

interface Option {
  readonly optionId?: unknown;
  readonly name?: unknown;
  readonly kind?: unknown;
}

/** Starts a turn that waits for the user, in a process of its own. */
async function askedFor(bench: AcpBench) {
  const session = await bench.open();
  const { agent, sessionId } = session;
  const prompt = bench.prompt(session, bench.harness.prompts.permission ?? "");
  const isAsking = ({ method }: AcpFrame) => method === "session/request_permission";
  const request = await agent.waitFor(isAsking, "a permission request");
  const params = (request.params ?? {}) as { toolCall?: { toolCallId?: unknown }; options?: Option[] };
  const answer = (body: object) => agent.send({ id: request.id, ...body });
  return {
    ...{ agent, sessionId, prompt, params, answer },
    choose(wish: "allow" | "reject") {
      const chosen = params.options?.find(({ kind }) => String(kind).startsWith(wish));
      expectThat(chosen !== undefined, `the request offers no option of the kind ${wish}`);
      answer({ result: { outcome: { outcome: "selected", optionId: chosen.optionId } } });
    },
    end: () => bench.end(session, prompt),
    hasCompleted: () => statesOf(agent, sessionId, params.toolCall?.toolCallId).includes("completed"),
  };
}

/** What an agent told of the status of one tool call, in order. */
function statesOf(agent: AcpLine, sessionId: string, toolCallId: unknown): unknown[] {
  const updates = agent.frames.map((frame) => updateOf(sessionId, frame));
  const isMeant = (update: AcpUpdate | undefined) => update?.toolCallId === toolCallId && update?.status !== undefined;
  return updates.filter(isMeant).map((update) => update?.status);
}
