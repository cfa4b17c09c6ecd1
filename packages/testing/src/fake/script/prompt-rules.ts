import type { Clock } from "@daemon-sdk/protocol";
import type { FakePrompt } from "./prompt.js";
import { matchesText } from "./received.js";
import { TurnScript } from "./turn-script.js";

/** Plays one turn. When the function returns, the turn ends as `completed`. */
export type PromptScript = (prompt: FakePrompt) => void | Promise<void>;

/** Selects prompts: by their text, or by a function. */
export type PromptMatcher = string | RegExp | ((text: string, prompt: FakePrompt) => boolean);

const sayItBack: PromptScript = (prompt) => {
  for (const word of ["You ", "said: ", prompt.text]) prompt.delta(word);
  prompt.message();
};

/** The scripts of a fake. A prompt gets the latest script that matches it, else the script for all others. */
export class PromptRules {
  readonly #rules: { readonly matcher: PromptMatcher | undefined; readonly script: TurnScript }[] = [];
  readonly #clock: Clock;
  #other: PromptScript = sayItBack;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sets the script of prompts that no other script matches. */
  set other(script: PromptScript) {
    this.#other = script;
  }

  when(matcher: PromptMatcher | undefined): TurnScript {
    const script = new TurnScript();
    this.#rules.unshift({ matcher, script });
    return script;
  }

  play(prompt: FakePrompt): void | Promise<void> {
    const rule = this.#rules.find(({ matcher, script }) => isFor(matcher, prompt) && script.take());
    return rule ? rule.script.play(prompt, this.#clock) : this.#other(prompt);
  }
}

function isFor(matcher: PromptMatcher | undefined, prompt: FakePrompt): boolean {
  return typeof matcher === "function" ? matcher(prompt.text, prompt) : matchesText(matcher, prompt.text);
}
