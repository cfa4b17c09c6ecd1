import type { AskUserQuestion } from "@daemon-sdk/protocol";
import type { ToolUse } from "./tool.js";

/** Asks the user. */
export interface Asked {
  /** Asks a question; undefined without an answer. */
  askQuestion(toolCallId: string, question: AskUserQuestion, signal: AbortSignal): Promise<string | undefined>;
}

/** `AskUser`: a question with suggested answers. Without an answer the turn continues. */
export function askUser(person: Asked, question: string, options: readonly string[]): ToolUse {
  const asked = { index: 1, topic: "Question", question, options: [...options] };
  return {
    name: "AskUser",
    input: { questions: [asked] },
    async run({ toolUseId, signal }) {
      const answer = await person.askQuestion(toolUseId, asked, signal);
      signal.throwIfAborted();
      return answer === undefined ? "You did not answer." : `You chose ${answer}.`;
    },
  };
}
