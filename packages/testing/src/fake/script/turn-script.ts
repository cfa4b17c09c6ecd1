import type {
  AskUserResult,
  Clock,
  KnownSessionNotification,
  PermissionOption,
  RequestPermissionResult,
  SessionNotification,
} from "@daemon-sdk/protocol";
import { type FakePermission, type FakeQuestions, toolPermission } from "./asking.js";
import type { FakePrompt, FakeTurnEnd } from "./prompt.js";

/** A tool call of the agent. */
export interface FakeToolCall {
  readonly name: string;
  /** Default `{}`. */
  readonly input?: Readonly<Record<string, unknown>>;
  /** Result of the tool; default the empty text. */
  readonly result?: string;
  /** Whether the tool failed. Default false. */
  readonly isError?: boolean;
  /** Requests permission first: true for the options "once" and "cancel", or these options. A refused tool returns an error, and the turn continues. */
  readonly needsPermission?: boolean | readonly PermissionOption[];
}

/** A permission request for one tool, in short form. */
export interface FakeToolPermission {
  /** Name of the tool. */
  readonly tool: string;
  readonly input?: Readonly<Record<string, unknown>>;
  /** Default "proceed_once" and "cancel". */
  readonly options?: readonly PermissionOption[];
}

/** The answer to a request. */
export type FakeAnswer = RequestPermissionResult | AskUserResult;

/** Selects answers: by the chosen option, by the text of the first answer, or by a function. */
export type AnswerMatcher = string | ((answer: FakeAnswer) => boolean);

/** What a step needs. */
interface Performance {
  readonly prompt: FakePrompt;
  readonly clock: Clock;
  answer: FakeAnswer | undefined;
}

type Step = (performance: Performance) => void | Promise<void>;

/**
 * The script of a turn. Each call adds a step and returns the script. After the last step the turn completes.
 *
 * ```ts
 * daemon
 *   .whenPrompted(/deploy/)
 *   .thinks("Is it Friday?")
 *   .asks({ tool: "Execute", input: { command: "make deploy" } })
 *   .thenIf("proceed_once", (yes) => yes.streams(["Depl", "oyed."]), (no) => no.streams("Another time."));
 * ```
 */
export class TurnScript {
  readonly #steps: Step[] = [];
  #timesLeft = Number.POSITIVE_INFINITY;

  /** The agent sends thinking, in these pieces. */
  thinks(...pieces: string[]): this {
    return this.#add(({ prompt }) => {
      for (const piece of pieces) prompt.thinking(piece);
    });
  }

  /** The agent sends one message, in these pieces. */
  streams(pieces: string | readonly string[]): this {
    return this.#add(({ prompt }) => {
      for (const piece of typeof pieces === "string" ? [pieces] : pieces) prompt.delta(piece);
      prompt.message();
    });
  }

  /** The agent calls a tool and gets its result. */
  callsTool(tool: FakeToolCall): this {
    return this.#add(async (performance) => {
      const { prompt } = performance;
      const { name, input = {}, needsPermission = false } = tool;
      const id = prompt.toolCall(name, input);
      if (needsPermission !== false) {
        const options = needsPermission === true ? undefined : needsPermission;
        performance.answer = await prompt.askPermission(toolPermission({ tool: name, input, options }, id));
        if (performance.answer.selectedOption === "cancel") return prompt.toolResult(id, "The person said no.", true);
      }
      prompt.toolResult(id, tool.result ?? "", tool.isError);
    });
  }

  /** The agent requests permission, or asks questions, and waits for the answer; see {@link thenIf}. */
  asks(request: FakePermission | FakeToolPermission | FakeQuestions): this {
    return this.#add(async (performance) => {
      const { prompt } = performance;
      if ("questions" in request) performance.answer = await prompt.askUser(request);
      else if ("toolUses" in request) performance.answer = await prompt.askPermission(request);
      else performance.answer = await prompt.askPermission(toolPermission(request));
    });
  }

  /** Continues with `then` if the last answer matches, else with `otherwise`. */
  thenIf(answer: AnswerMatcher, then: (script: TurnScript) => void, otherwise?: (script: TurnScript) => void): this {
    const [yes, no] = [new TurnScript(), new TurnScript()];
    then(yes);
    otherwise?.(no);
    return this.#add((performance) => (isMeant(answer, performance.answer) ? yes : no).#perform(performance));
  }

  /** Sends any notification. */
  notifies(notification: KnownSessionNotification | SessionNotification): this {
    return this.#add(({ prompt }) => prompt.notify(notification));
  }

  /** Waits `ms` on the daemon's clock. */
  waits(ms: number): this {
    return this.#add(({ prompt, clock }) => untilEnded(prompt, (resolve) => clock.setTimer(resolve, ms)));
  }

  /** Waits for a promise of the test. */
  waitsFor(event: Promise<unknown>): this {
    return this.#add(({ prompt }) =>
      untilEnded(prompt, (resolve) => {
        void event.then(resolve, resolve);
        return undefined;
      }),
    );
  }

  /** Runs a function with the prompt. */
  does(action: (prompt: FakePrompt) => void | Promise<void>): this {
    return this.#add(({ prompt }) => action(prompt));
  }

  /** Ends the turn, default as `completed`. */
  completes(reason: FakeTurnEnd = "completed"): this {
    return this.#add(({ prompt }) => prompt.end(reason));
  }

  /** Ends the turn as `error`, with this message. */
  fails(message = "The fake agent failed."): this {
    return this.#add(({ prompt }) => prompt.fail(message));
  }

  /** The agent's process exits in mid-turn; default with code 1. */
  exits(exitCode: number | null = 1, signal: string | null = null): this {
    const message = `The agent ended with ${signal ?? exitCode}.`;
    return this.#add(({ prompt }) => prompt.end("agent_exited", { exitCode, signal, message }));
  }

  /** The turn runs until it is interrupted, or ended by another call. */
  neverEnds(): this {
    return this.#add(({ prompt }) => untilEnded(prompt, () => undefined));
  }

  /** Limits the script to this many prompts, default one. Later prompts get an earlier script. */
  once(times = 1): this {
    this.#timesLeft = times;
    return this;
  }

  /** Called for each matching prompt. Returns whether this script plays it. */
  take(): boolean {
    return this.#timesLeft-- > 0;
  }

  /** Plays the turn. */
  play(prompt: FakePrompt, clock: Clock): Promise<void> {
    return this.#perform({ prompt, clock, answer: undefined });
  }

  async #perform(performance: Performance): Promise<void> {
    for (const step of this.#steps) {
      if (performance.prompt.isEnded) return;
      const done = step(performance);
      // Steps without a wait run in one tick, as an agent writes its output.
      if (done instanceof Promise) await done;
    }
  }

  #add(step: Step): this {
    this.#steps.push(step);
    return this;
  }
}

function isMeant(matcher: AnswerMatcher, answer: FakeAnswer | undefined): boolean {
  if (!answer) return false;
  if (typeof matcher === "function") return matcher(answer);
  return matcher === ("selectedOption" in answer ? answer.selectedOption : answer.answers[0]?.answer);
}

/** Waits until `start` calls `resolve`, or the turn ends. `start` may return a function that cancels. */
function untilEnded(prompt: FakePrompt, start: (resolve: () => void) => (() => void) | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (prompt.isEnded) {
      resolve();
      return;
    }
    const cancel = start(resolve);
    const stop = (): void => {
      cancel?.();
      resolve();
    };
    prompt.signal.addEventListener("abort", stop, { once: true });
  });
}
