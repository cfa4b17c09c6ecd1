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

/** A tool that the agent calls. */
export interface FakeToolCall {
  readonly name: string;
  /** Default `{}`. */
  readonly input?: Readonly<Record<string, unknown>>;
  /** What it gives back; default the empty text. */
  readonly result?: string;
  /** Whether it failed. Default false. */
  readonly isError?: boolean;
  /** Asks before: true for "once" and "cancel", or these options. A refused tool gives back an error, and the turn goes on. */
  readonly needsPermission?: boolean | readonly PermissionOption[];
}

/** A permission to use one tool, in short. */
export interface FakeToolPermission {
  /** Name of the tool. */
  readonly tool: string;
  readonly input?: Readonly<Record<string, unknown>>;
  /** Default "proceed_once" and "cancel". */
  readonly options?: readonly PermissionOption[];
}

/** What the person answered. */
export type FakeAnswer = RequestPermissionResult | AskUserResult;

/** An answer that is meant: the chosen option, the text of the first answer, or what the function says yes to. */
export type AnswerMatcher = string | ((answer: FakeAnswer) => boolean);

/** What a step works on. */
interface Performance {
  readonly prompt: FakePrompt;
  readonly clock: Clock;
  answer: FakeAnswer | undefined;
}

type Step = (performance: Performance) => void | Promise<void>;

/**
 * A turn, written down as it is read: each call adds a step, and returns the script. A turn whose steps are over completes.
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

  /** The agent thinks, in these pieces. */
  thinks(...pieces: string[]): this {
    return this.#add(({ prompt }) => {
      for (const piece of pieces) prompt.thinking(piece);
    });
  }

  /** The agent writes one message, in these pieces. */
  streams(pieces: string | readonly string[]): this {
    return this.#add(({ prompt }) => {
      for (const piece of typeof pieces === "string" ? [pieces] : pieces) prompt.delta(piece);
      prompt.message();
    });
  }

  /** The agent uses a tool, and has its result. */
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

  /** The agent asks for permission, or asks questions, and waits for the answer; see {@link thenIf}. */
  asks(request: FakePermission | FakeToolPermission | FakeQuestions): this {
    return this.#add(async (performance) => {
      const { prompt } = performance;
      if ("questions" in request) performance.answer = await prompt.askUser(request);
      else if ("toolUses" in request) performance.answer = await prompt.askPermission(request);
      else performance.answer = await prompt.askPermission(toolPermission(request));
    });
  }

  /** Goes on with one of two scripts, as the last answer was. */
  thenIf(answer: AnswerMatcher, then: (script: TurnScript) => void, otherwise?: (script: TurnScript) => void): this {
    const [yes, no] = [new TurnScript(), new TurnScript()];
    then(yes);
    otherwise?.(no);
    return this.#add((performance) => (isMeant(answer, performance.answer) ? yes : no).#perform(performance));
  }

  /** Tells any notification, known or not. */
  notifies(notification: KnownSessionNotification | SessionNotification): this {
    return this.#add(({ prompt }) => prompt.notify(notification));
  }

  /** Lets time pass, on the daemon's clock. */
  waits(ms: number): this {
    return this.#add(({ prompt, clock }) => untilEnded(prompt, (resolve) => clock.setTimer(resolve, ms)));
  }

  /** Waits for something of the test. */
  waitsFor(event: Promise<unknown>): this {
    return this.#add(({ prompt }) =>
      untilEnded(prompt, (resolve) => {
        void event.then(resolve, resolve);
        return undefined;
      }),
    );
  }

  /** Whatever else a prompt can do. */
  does(action: (prompt: FakePrompt) => void | Promise<void>): this {
    return this.#add(({ prompt }) => action(prompt));
  }

  /** Ends the turn: as `completed`, or with another reason. */
  completes(reason: FakeTurnEnd = "completed"): this {
    return this.#add(({ prompt }) => prompt.end(reason));
  }

  /** Ends the turn as `error`, and says why. */
  fails(message = "The fake agent failed."): this {
    return this.#add(({ prompt }) => prompt.fail(message));
  }

  /** The agent's process ends in the middle of the turn; default with code 1. */
  exits(exitCode: number | null = 1, signal: string | null = null): this {
    const message = `The agent ended with ${signal ?? exitCode}.`;
    return this.#add(({ prompt }) => prompt.end("agent_exited", { exitCode, signal, message }));
  }

  /** The turn goes on until somebody ends it. */
  neverEnds(): this {
    return this.#add(({ prompt }) => untilEnded(prompt, () => undefined));
  }

  /** Holds for this many prompts, default one; later ones go to the scripts made before. */
  once(times = 1): this {
    this.#timesLeft = times;
    return this;
  }

  /** Called for each prompt that is meant: whether this script has it. */
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
      // Steps that take no time are told in one go, as an agent's output is.
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

/** Waits for what `start` resolves, or for the end of the turn. `start` may return how to take it back. */
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
