import {
  type AddUserMessageParams,
  type AskUserResult,
  type Clock,
  type KnownSessionNotification,
  newId,
  type RequestPermissionResult,
  RpcCode,
  type SessionMessage,
  type SessionNotification,
  type SessionSettings,
  type WorkingState,
} from "@daemon-sdk/protocol";
import { SYSTEM_CLOCK } from "../../clock/index.js";
import {
  DEFAULT_PERMISSION_OPTIONS,
  type FakePermission,
  FakePrompt,
  type FakeQuestions,
  FakeReceived,
  type PromptMatcher,
  PromptRules,
  type PromptScript,
  type TurnScript,
  type TurnStage,
} from "../script/index.js";
import { errorOf, readFrame, requiredString, rpcFault, writeFrame } from "../wire/index.js";
import { AgentRequests } from "./agent-requests.js";

/** Options of {@link FakeAgent}. */
export interface FakeAgentOptions {
  /** Clock of the scripts; default the computer's. */
  readonly clock?: Clock;
  /** Settings that the agent reports; default a model named `fake-model`. */
  readonly settings?: Partial<SessionSettings>;
  /**
   * Conversations by session id, for `load_session`. Agents that share the map act as processes of one program. Default: the
   * agent stores none, and each session starts empty (docs/agents.md, "Opening").
   */
  readonly conversations?: Map<string, SessionMessage[]>;
  /** Whether turns end with `agent_turn_completed`; default true. If false, the change to `idle` ends them. */
  readonly completesTurns?: boolean;
}

type Params = Record<string, unknown>;

/**
 * A scripted agent in memory, for tests of daemons, with the wire of docs/agents.md. Scripts of its turns are written as for
 * `FakeDaemon`. `runFakeAgent` of `@daemon-sdk/testing/node` runs it as a program over stdio.
 *
 * ```ts
 * const agent = new FakeAgent();
 * agent.whenPrompted(/greet/).streams(["Hel", "lo"]);
 * agent.onLine = (line) => daemonSide.push(line);
 * agent.write('{"jsonrpc":"2.0", …}');
 * ```
 */
export class FakeAgent {
  /** All requests of the daemon, in order. */
  readonly received = new FakeReceived();
  /** Lines that are no frames. */
  readonly badLines: string[] = [];
  /** Called with each line of stdout, without the line's end. */
  onLine: ((line: string) => void) | undefined;
  readonly #options: FakeAgentOptions;
  readonly #clock: Clock;
  readonly #rules: PromptRules;
  readonly #requests = new AgentRequests((frame) => this.#tell(frame));
  readonly #stage: TurnStage;
  readonly #queue: { readonly requestId: string; readonly params: AddUserMessageParams & { messageId: string } }[] = [];
  #prompt: FakePrompt | undefined;
  #workingState: WorkingState = "idle";
  #sessionId = "";

  constructor(options: FakeAgentOptions = {}) {
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#rules = new PromptRules(this.#clock);
    this.#stage = this.#makeStage();
  }

  /** Id of the agent's session; empty before the first request. */
  get sessionId(): string {
    return this.#sessionId;
  }

  /** Starts the script for matching prompts; see `FakeDaemon.whenPrompted`. */
  whenPrompted(matcher?: PromptMatcher): TurnScript {
    return this.#rules.when(matcher);
  }

  /** Sets the script of prompts that no {@link whenPrompted} matches. Default: the agent repeats the prompt. */
  onPrompt(script: PromptScript): void {
    this.#rules.other = script;
  }

  /** Writes a line to the agent's stdin. */
  write(line: string): void {
    const frame = readFrame(line);
    if (frame.kind === "request") this.#request(frame.id, frame.method.replace(/^droid\./, ""), frame.params);
    else if (frame.kind === "response") this.#requests.settle(frame.id, frame.result);
    else if (frame.kind === "bad") this.badLines.push(line);
  }

  /** Writes a text that is no frame to stdout, as faulty programs do. */
  say(text: string): void {
    this.onLine?.(text);
  }

  #request(id: string, method: string, params: Params): void {
    this.received.push({ link: 1, id, method, params, protocolVersion: undefined });
    const answer = this.#methods.get(method);
    if (!answer) {
      const error = { code: RpcCode.methodNotFound, message: `Method not found: ${method}` };
      this.#tell({ type: "response", id, error });
      return;
    }
    try {
      this.#tell({ type: "response", id, result: answer(params) });
    } catch (fault) {
      this.#tell({ type: "response", id, error: errorOf(fault) });
      return;
    }
    if (method === "add_user_message") this.#submit(id, params);
    if (method === "interrupt_session") this.#prompt?.end("cancelled");
  }

  readonly #methods: ReadonlyMap<string, (params: Params) => object> = new Map([
    ["initialize_session", (params: Params) => this.#initialize(params)],
    ["load_session", (params: Params) => this.#load(params)],
    ["add_user_message", (params: Params) => this.#accept(params)],
    ["interrupt_session", () => ({})],
    ["update_session_settings", () => ({})],
    ["rename_session", () => ({ success: true })],
  ]);

  #begin({ sessionId }: Params): string {
    this.#sessionId = typeof sessionId === "string" ? sessionId : newId();
    return this.#sessionId;
  }

  #accept(params: Params): object {
    requiredString(params, "text");
    return {};
  }

  #initialize(params: Params): object {
    const sessionId = this.#begin(params);
    this.#options.conversations?.set(sessionId, []);
    return { sessionId, ...this.#snapshotOf([]) };
  }

  #load(params: Params): object {
    const { conversations } = this.#options;
    if (!conversations) throw rpcFault(RpcCode.methodNotFound, "Method not found: load_session");
    const messages = conversations.get(requiredString(params, "sessionId"));
    if (!messages) throw rpcFault(RpcCode.entityNotFound, "Session not found");
    this.#begin(params);
    return this.#snapshotOf(messages);
  }

  #snapshotOf(messages: readonly SessionMessage[]): object {
    const settings = { modelId: "fake-model", reasoningEffort: "none", ...this.#options.settings };
    return { session: { messages }, settings };
  }

  #submit(requestId: string, params: Params): void {
    const messageId = typeof params.messageId === "string" ? params.messageId : newId();
    const given = { ...params, sessionId: this.#sessionId, text: String(params.text), messageId };
    this.#queue.push({ requestId, params: given });
    this.#startNext();
  }

  #startNext(): void {
    const next = this.#prompt ? undefined : this.#queue.shift();
    if (!next) return;
    const prompt = new FakePrompt(this.#stage, next.requestId, next.params, {
      completesTurns: this.#options.completesTurns ?? true,
      now: () => this.#clock.now(),
      onEnd: () => {},
      onIdle: () => {
        this.#prompt = undefined;
        this.#startNext();
      },
    });
    this.#prompt = prompt;
    prompt.start();
    void this.#play(prompt);
  }

  async #play(prompt: FakePrompt): Promise<void> {
    try {
      await this.#rules.play(prompt);
      prompt.end();
    } catch (error) {
      prompt.fail(error);
    }
  }

  #makeStage(): TurnStage {
    const sessionId = () => this.#sessionId;
    const notify = (notification: KnownSessionNotification | SessionNotification): void => {
      const { type, message } = notification as { type: string; message?: SessionMessage };
      if (type === "create_message" && message) this.#options.conversations?.get(this.#sessionId)?.push(message);
      const params = { sessionId: this.#sessionId, notification };
      this.#tell({ type: "notification", method: "droid.session_notification", params });
    };
    return {
      get id() {
        return sessionId();
      },
      notify,
      setWorkingState: (newState) => {
        if (newState === this.#workingState) return;
        this.#workingState = newState;
        notify({ type: "droid_working_state_changed", newState });
      },
      askPermission: (permission) => this.#askPermission(permission),
      askUser: (questions) => this.#askUser(questions),
      closeRequests: () => this.#requests.cancelAll(notify),
    };
  }

  #askPermission(permission: FakePermission): Promise<RequestPermissionResult> {
    const params = { sessionId: this.#sessionId, options: DEFAULT_PERMISSION_OPTIONS, ...permission };
    return this.#requests.ask("request_permission", params);
  }

  #askUser(questions: FakeQuestions): Promise<AskUserResult> {
    return this.#requests.ask("ask_user", { sessionId: this.#sessionId, toolCallId: newId(), ...questions });
  }

  #tell(frame: Record<string, unknown>): void {
    this.onLine?.(writeFrame(undefined, frame));
  }
}
