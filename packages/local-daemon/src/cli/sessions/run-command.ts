import { resolve } from "node:path";
import {
  type AddUserMessageParams,
  type AskUserParams,
  type AskUserResult,
  type ConnectionError,
  type InboundNotification,
  type InboundRequest,
  isRecord,
  METHODS,
  newId,
  type RequestPermissionParams,
  type RequestPermissionResult,
  type SessionNotification,
} from "@daemon-sdk/protocol";
import { type Command, Option } from "commander";
import { CANCEL_ANSWERS } from "../../agents/index.js";
import { type Ask, approve, askOnTerminal, askPermission, askQuestions } from "../answers.js";
import type { CommandLine } from "../command-line.js";
import { callDaemon, type DaemonCall, LOCAL_TOKEN, MACHINE_ID } from "../daemon-call.js";
import { EXIT } from "../fail.js";
import { SESSION_ARGUMENT, sessionIdOf } from "../session-argument.js";
import { DaemonReader } from "../session-reader.js";
import type { Terminal } from "../terminal.js";
import { describeToolUse } from "../tool-use-text.js";
import { isRefusal } from "./answer-command.js";
import { EventOutput } from "./event-output.js";
import { PROMPT_ARGUMENT, promptOf } from "./send-command.js";

const AUTONOMY = ["off", "low", "medium", "high"] as const;
const EFFORT = ["none", "dynamic", "off", "minimal", "low", "medium", "high", "xhigh", "max"] as const;

/** Adds `run`. */
export function addRunCommand(program: Command, cli: CommandLine): void {
  cli
    .command(
      program,
      "run",
      "run one prompt, in a new session or in one that is there, and stream the answer; starts the daemon when none runs",
      "one event per line, the result last; nothing is asked",
    )
    .argument("<prompt>", PROMPT_ARGUMENT)
    .option("-s, --session <session>", `go on with a session: ${SESSION_ARGUMENT}`)
    .option("-C, --cwd <directory>", "where the agent of a new session works", process.cwd())
    .option("-a, --agent <name>", "agent of a new session; default the daemon's")
    .option("-m, --model <id>", "model of the session from now on")
    .addOption(new Option("--autonomy <level>", "what the agent may do without asking").choices(AUTONOMY))
    .addOption(new Option("--effort <effort>", "how much the model thinks").choices(EFFORT))
    .option("-y, --yes", "approve every permission request, once each", false)
    .addHelpText(
      "after",
      "\nCtrl-C interrupts the turn, a second one leaves. Without a terminal, requests are cancelled unless --yes.",
    )
    .action(
      cli.action(
        async (context, prompt: string, options: ChosenOptions) =>
          runPrompt({
            ...context,
            ...options,
            cwd: resolve(options.cwd),
            prompt: await promptOf(prompt, context.interrupted),
            ask: askOnTerminal,
          }),
        "abort",
      ),
    );
}

/** What the options of `run` choose. */
interface ChosenOptions {
  /** Session to go on with; default a new one. */
  readonly session?: string | undefined;
  /** Of a new session. */
  readonly cwd: string;
  /** Of a new session. */
  readonly agent?: string | undefined;
  readonly model?: string | undefined;
  readonly autonomy?: string | undefined;
  readonly effort?: string | undefined;
  /** Approve every permission request, once each. */
  readonly yes: boolean;
}

/** `local-daemon run`. */
export interface RunOptions extends ChosenOptions {
  readonly stateDir: string;
  readonly prompt: string;
  /** Print events as JSON lines instead of text. */
  readonly json: boolean;
  readonly terminal: Terminal;
  readonly ask: Ask;
  /** Aborted at the first Ctrl-C, and when nobody reads the output any more. */
  readonly interrupted: AbortSignal;
}

/** Runs one prompt, streams it to the terminal, and returns the exit code: 0 when the turn completed and nothing was refused. */
export async function runPrompt(options: RunOptions): Promise<number> {
  using call = await callDaemon(options.stateDir, options.terminal);
  // Awaited here: `call` is disposed when this function returns.
  return await new PromptRun(call, options).run();
}

/** One turn of one session in the command line. */
class PromptRun {
  readonly #call: DaemonCall;
  readonly #options: RunOptions;
  readonly #messageId = newId();
  /** Open questions, each with a controller that withdraws it when another client answers. */
  readonly #open = new Map<string, AbortController>();
  readonly #ended: Promise<SessionNotification>;
  #end: (notification: SessionNotification) => void = () => {};
  /** Undefined until the session's id is known. */
  #output: EventOutput | undefined;
  #sessionId = "";
  /** Whether what is received belongs to this turn. Turns of others may run before it in a session that was there. */
  #hasBegun: boolean;
  /** Whether the turn has ended: its result is the last that is printed. */
  #hasEnded = false;
  /** Whether a request of the agent was not granted. */
  #isRefused = false;
  #waiting: Disposable | undefined;

  constructor(call: DaemonCall, options: RunOptions) {
    this.#call = call;
    this.#options = options;
    this.#hasBegun = options.session === undefined;
    this.#ended = new Promise((resolve, reject) => {
      this.#end = resolve;
      call.engine.onClose = (error: ConnectionError) => reject(error);
    });
    // It may reject while another promise is awaited. A later `await` still gets the error.
    this.#ended.catch(() => {});
    call.engine.onNotification = (notification) => this.#onNotification(notification);
    call.engine.onRequest = (request) => this.#onRequest(request);
  }

  async run(): Promise<number> {
    const { engine } = this.#call;
    const { prompt: text, session, interrupted } = this.#options;
    this.#wait("Waiting for the agent");
    try {
      this.#sessionId = session === undefined ? await this.#newSession() : await this.#oldSession(session);
      this.#output = new EventOutput({ ...this.#options, sessionId: this.#sessionId });
      interrupted.addEventListener("abort", () => this.#interrupt(), { once: true });
      const message: AddUserMessageParams = { sessionId: this.#sessionId, text, messageId: this.#messageId };
      await engine.request(METHODS.addUserMessage, message);
      const end = await this.#ended;
      this.#report(end, this.#output);
      // Others may work in a session that was there before.
      if (session === undefined) await engine.request(METHODS.closeSession, { sessionId: this.#sessionId });
      if (interrupted.aborted) return EXIT.interrupted;
      if (end.reason !== "completed") return EXIT.failed;
      return this.#isRefused ? EXIT.refused : EXIT.ok;
    } finally {
      this.#wait();
    }
  }

  async #newSession(): Promise<string> {
    const { cwd, agent, interrupted } = this.#options;
    const params = { token: LOCAL_TOKEN, machineId: MACHINE_ID, cwd, ...this.#settings() };
    const { sessionId } = await this.#call.engine.request(
      METHODS.initializeSession,
      agent === undefined ? params : { ...params, agent },
      { signal: interrupted },
    );
    return sessionId;
  }

  async #oldSession(session: string): Promise<string> {
    const { engine } = this.#call;
    const { interrupted } = this.#options;
    const sessionId = await sessionIdOf(session, () => new DaemonReader(this.#call).sessions());
    // Known before the answer: the session's notifications may arrive before it.
    this.#sessionId = sessionId;
    const params = { token: LOCAL_TOKEN, sessionId, messageLimit: 1 };
    await engine.request(METHODS.loadSession, params, { signal: interrupted });
    const settings = this.#settings();
    if (Object.keys(settings).length > 0)
      await engine.request(METHODS.updateSessionSettings, { sessionId, ...settings }, { signal: interrupted });
    return sessionId;
  }

  #settings(): { modelId?: string; autonomyLevel?: string; reasoningEffort?: string } {
    const { model, autonomy, effort } = this.#options;
    return {
      ...(model === undefined ? {} : { modelId: model }),
      ...(autonomy === undefined ? {} : { autonomyLevel: autonomy }),
      ...(effort === undefined ? {} : { reasoningEffort: effort }),
    };
  }

  #interrupt(): void {
    this.#wait();
    this.#output?.note("Interrupting the turn; press Ctrl-C again to leave.");
    for (const question of this.#open.values()) question.abort();
    // The outcome is reported by the end of the turn, or of the connection.
    const params = { sessionId: this.#sessionId, messageId: this.#messageId };
    this.#call.engine.request(METHODS.interruptSession, params).catch(() => {});
  }

  /** Shows what is waited for, or nothing more. */
  #wait(what?: string): void {
    this.#waiting?.[Symbol.dispose]();
    this.#waiting = what === undefined ? undefined : this.#options.terminal.progress(what);
  }

  #onNotification({ method, params }: InboundNotification): void {
    const { notification } = params;
    if (method !== "session_notification" || !isRecord(notification) || typeof notification.type !== "string") return;
    // Until the session's id is known, all notifications belong to the one session that this connection opens.
    if (this.#sessionId !== "" && params.sessionId !== this.#sessionId) return;
    const told = notification as SessionNotification;
    if (told.type === "create_message" && isRecord(told.message) && told.message.id === this.#messageId)
      this.#hasBegun = true;
    if (this.#hasBegun && !this.#hasEnded) this.#print(told);
    if (told.type === "permission_resolved" || told.type === "ask_user_resolved")
      this.#open.get(String(told.requestId))?.abort();
    if (told.type !== "agent_turn_completed" || told.turnId !== this.#messageId) return;
    this.#hasEnded = true;
    this.#end(told);
  }

  #print(told: SessionNotification): void {
    if (this.#output === undefined) return;
    // Before any text: a line of progress would take the line that it stands on.
    if (told.type !== "droid_working_state_changed" && told.type !== "tool_execution_heartbeat") this.#wait();
    this.#output.print(told);
    if (told.type === "tool_call" && isRecord(told.toolUse) && !this.#options.json)
      this.#wait(`Running ${told.toolUse.name}`);
  }

  async #onRequest(request: InboundRequest): Promise<unknown> {
    const closed = new AbortController();
    this.#open.set(request.id, closed);
    this.#wait();
    try {
      const answer = await this.#answer(request, closed.signal);
      // Withdrawn: another client answered it.
      if (!closed.signal.aborted) this.#isRefused ||= isRefusal(answer);
      return { ...answer, sessionId: this.#sessionId };
    } finally {
      this.#open.delete(request.id);
    }
  }

  async #answer(
    { method, params }: InboundRequest,
    signal: AbortSignal,
  ): Promise<RequestPermissionResult | AskUserResult> {
    const { yes, terminal, ask, json } = this.#options;
    const canAsk = terminal.isInteractive && !json;
    this.#output?.end();
    if (method === METHODS.requestPermission.name) {
      const permission = params as unknown as RequestPermissionParams;
      const what = permission.toolUses.map(describeToolUse).join("; ");
      if (yes) {
        this.#output?.note(`approved by --yes: ${what}`);
        return approve(permission);
      }
      if (canAsk) return askPermission(permission, { ask, terminal }, signal);
      this.#output?.note(`refused, because there is no terminal to ask at (--yes approves): ${what}`, "yellow");
      return CANCEL_ANSWERS.request_permission;
    }
    const questions = params as unknown as AskUserParams;
    if (canAsk) return askQuestions(questions, ask, signal);
    this.#output?.note("A question of the agent was cancelled, because there is no terminal to ask at.", "yellow");
    return CANCEL_ANSWERS.ask_user;
  }

  #report(end: SessionNotification, output: EventOutput): void {
    output.end();
    if (this.#options.json) return;
    if (end.reason !== "completed") {
      output.note(`The turn ended: ${end.reason}${typeof end.message === "string" ? ` (${end.message})` : ""}.`, "red");
    } else if (this.#isRefused) output.note("The turn is done, without what was refused.", "yellow");
  }
}
