import { newId, type ToolUseBlock } from "@daemon-sdk/protocol";
import type { AssistantMessage } from "./assistant-message.js";
import type { ToolUse } from "./tools/index.js";
import type { TurnSession } from "./turn-session.js";

/** Outcome of a tool use. `refused`: the user refused it, which ends the turn (docs/wire/agent-stdio.md#turn-end). */
export type ToolOutcome = { readonly kind: "done"; readonly text: string } | { readonly kind: "refused" };

/** What {@link useTool} needs. */
export interface ToolRound {
  readonly session: TurnSession;
  /** The message of the tool use, which is its last block. */
  readonly message: AssistantMessage;
  /** Id of the turn's user message. */
  readonly turnId: string;
  readonly signal: AbortSignal;
}

/**
 * One use of a tool, from the assistant's message to the result, in the order of docs/wire/agent-stdio.md#a-tool-turn:
 * `tool_call` twice, the message, `queued`, permission when it is needed, `executing`, and exactly one `tool_result`
 * in any case.
 *
 * Rejects with the signal's reason when the turn was interrupted; the result was sent before.
 */
export async function useTool(round: ToolRound, use: ToolUse): Promise<ToolOutcome> {
  const { session, message, signal } = round;
  const block: ToolUseBlock = { type: "tool_use", id: newId(), name: use.name, input: use.input };
  message.toolUse(block);
  message.finish(session.conversation);
  session.output.state("executing_tool");
  phase(round, block, "queued");
  if (session.person.mustAgree(use, session.conversation.data.settings) && !(await isAgreed(round, block, use))) {
    result(round, block, "Error: Tool execution cancelled by user", true);
    signal.throwIfAborted();
    return { kind: "refused" };
  }
  phase(round, block, "executing");
  try {
    const text = await run(round, block, use);
    result(round, block, text, false);
    return { kind: "done", text };
  } catch (error) {
    const text = `Error: ${error instanceof Error ? error.message : String(error)}`;
    result(round, block, text, true);
    signal.throwIfAborted();
    return { kind: "done", text };
  }
}

async function isAgreed({ session, signal }: ToolRound, block: ToolUseBlock, use: ToolUse): Promise<boolean> {
  if (use.confirmation === undefined) return true;
  const { output, person } = session;
  const requestId = newId();
  const asked = { toolUse: block, confirmationType: use.confirmation.type, details: use.confirmation };
  output.state("waiting_for_tool_confirmation");
  const selectedOption = await person.askPermission(asked, requestId, signal);
  output.state("executing_tool");
  output.tell({ type: "permission_resolved", requestId, toolUseIds: [block.id], selectedOption });
  return selectedOption !== "cancel";
}

function run({ session, turnId, signal }: ToolRound, { id, name }: ToolUseBlock, use: ToolUse): Promise<string> {
  const { workspace, history, output } = session;
  return use.run({
    toolUseId: id,
    workspace,
    signal,
    progress: (text) =>
      output.tell({ type: "tool_progress_update", toolUseId: id, toolName: name, update: { type: "message", text } }),
    beforeChange: (real) => history.remember(turnId, real, workspace),
  });
}

function phase({ session }: ToolRound, { id, name }: ToolUseBlock, step: "queued" | "executing"): void {
  session.output.tell({ type: "tool_execution_phase_changed", toolUseId: id, toolName: name, phase: step });
}

function result({ session }: ToolRound, block: ToolUseBlock, content: string, isError: boolean): void {
  const messageId = newId();
  const toolUseId = block.id;
  session.output.tell({ type: "tool_result", messageId, toolUseId, content, isError });
  session.conversation.add({
    id: messageId,
    role: "tool",
    content: [{ type: "tool_result", toolUseId, content, isError }],
    ...(isError && { isError }),
  });
}
