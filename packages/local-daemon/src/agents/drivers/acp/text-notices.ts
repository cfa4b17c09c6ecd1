import { isRecord } from "@daemon-sdk/protocol";
import { textOf } from "./content.js";

/**
 * What a text of the agent is in place of a text of its model: `retry`: the model is asked again, and what it wrote is void;
 * `failure`: the model has failed, if the turn ends now; `notice`: for people, no part of the conversation; `nothing`: of no use.
 */
export type TextMeaning = "retry" | "failure" | "notice" | "nothing";

interface TextPattern {
  readonly text: RegExp;
  readonly meaning: TextMeaning;
}

/** Whole chunks by the name that an agent gives itself (docs/wire/acp.md#notices). */
const PATTERNS: Readonly<Record<string, readonly TextPattern[]>> = {
  "pi-acp": [
    { text: /^Retrying(?: \(attempt \d+\/\d+, waiting \d+s\))?\.\.\.$/u, meaning: "retry" },
    { text: /^Retry finished, resuming\.$/u, meaning: "nothing" },
  ],
  Copilot: [
    { text: /^Info: .*Retrying\.\.\.$/u, meaning: "retry" },
    { text: /^Error: /u, meaning: "failure" },
  ],
};

/** Tells the texts of an agent from those of its model, which arrive as the same kind of update. */
export class TextNotices {
  readonly #patterns: readonly TextPattern[];
  readonly #startupText: string | undefined;

  /** `answer` is that of the call that opened the conversation: pi announces in it what it is about to say. */
  constructor(agentName?: string, answer?: unknown) {
    const isKnown = agentName !== undefined && Object.hasOwn(PATTERNS, agentName);
    this.#patterns = isKnown ? (PATTERNS[agentName] ?? []) : [];
    const meta = isRecord(answer) && isRecord(answer._meta) ? answer._meta : undefined;
    this.#startupText = isRecord(meta?.piAcp) ? textOf(meta.piAcp.startupInfo) : undefined;
  }

  /** Undefined for a text of the model. */
  meaningOf(chunk: string): TextMeaning | undefined {
    if (chunk !== "" && chunk === this.#startupText) return "notice";
    return this.#patterns.find(({ text }) => text.test(chunk))?.meaning;
  }
}
