import { resolve } from "node:path";
import {
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
import type { Command } from "commander";
import { CANCEL_ANSWERS } from "../agents/index.js";
import { type Ask, approve, askOnTerminal, askPermission, askQuestions, describeToolUse } from "./answers.js";
import type { CommandLine } from "./command-line.js";
import { callDaemon, type DaemonCall, LOCAL_TOKEN, MACHINE_ID } from "./daemon-call.js";
import { EXIT } from "./fail.js";
import type { Terminal } from "./terminal.js";
import { TurnPrinter } from "./turn-printer.js";

/** Adds `run`. */
export function addRunCommand(program: Command, cli: CommandLine): void {
  cli
    .command(
      program,
      "run",
      "run one prompt in a new session and stream the answer; starts the daemon when none runs",
      "one notification per line, then a result line; nothing is asked",
    )
    .argument("<prompt>", "what to ask the agent")
    .option("-C, --cwd <directory>", "where the agent works", process.cwd())
    .option("-a, --agent <name>", "which configured agent; default the daemon's")
    .option("-y, --yes", "approve every permission request, once each", false)
    .addHelpText(
      "after",
      "\nCtrl-C interrupts the turn, a second one leaves. Without a terminal, requests are cancelled unless --yes.",
    )
    .action(
      cli.action(
        (context, prompt: string, options: { cwd: string; agent?: string; yes: boolean }) =>
          runPrompt({ ...context, ...options, cwd: resolve(options.cwd), prompt, ask: askOnTerminal }),
        "abort",
      ),
    );
}

/** `local-daemon run`. */
export interface RunOptions {
  readonly stateDir: string;
  readonly prompt: string;
  readonly cwd: string;
  readonly agent?: string | undefined;
  /** Approve every permission request, once each. */
  readonly yes: boolean;
  /** Print notifications as JSON lines instead of text. */
  readonly json: boolean;
  readonly terminal: Terminal;
  readonly ask: Ask;
  /** Aborted at the first Ctrl-C. */
  readonly interrupted: AbortSignal;
}

/** Runs one prompt in a new session, streams it to the terminal, and returns the exit code: 0 when the turn completed. */
export async function runPrompt(options: RunOptions): Promise<number> {
  using call = await callDaemon(options.stateDir);
  // Awaited here: `call` is disposed when this function returns.
  return await new PromptRun(call, options).run();
}

/** One turn of one session in the command line. */
class PromptRun {
  readonly #call: DaemonCall;
  readonly #options: RunOptions;
  readonly #printer: TurnPrinter;
  readonly #messageId = newId();
  /** Open questions, each with a controller that withdraws it when another client answers. */
  readonly #open = new Map<string, AbortController>();
  readonly #ended: Promise<SessionNotification>;
  #end: (notification: SessionNotification) => void = () => {};
  #sessionId = "";
  /** Whether a request of the agent was not granted. */
  #isRefused = false;

  constructor(call: DaemonCall, options: RunOptions) {
    this.#call = call;
    this.#options = options;
    this.#printer = new TurnPrinter(options.terminal);
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
    const { cwd, agent, prompt, interrupted } = this.#options;
    const session = { token: LOCAL_TOKEN, machineId: MACHINE_ID, cwd, ...(agent === undefined ? {} : { agent }) };
    const { sessionId } = await engine.request(METHODS.initializeSession, session, { signal: interrupted });
    this.#sessionId = sessionId;
    interrupted.addEventListener("abort", () => this.#interrupt(), { once: true });
    await engine.request(METHODS.addUserMessage, { sessionId, text: prompt, messageId: this.#messageId });
    const end = await this.#ended;
    this.#report(end);
    await engine.request(METHODS.closeSession, { sessionId });
    if (interrupted.aborted) return EXIT.interrupted;
    if (end.reason !== "completed") return EXIT.failed;
    return this.#isRefused ? EXIT.refused : EXIT.ok;
  }

  #interrupt(): void {
    this.#printer.note("Interrupting the turn; press Ctrl-C again to leave.");
    for (const question of this.#open.values()) question.abort();
    // The outcome is reported by the end of the turn, or of the connection.
    this.#call.engine.request(METHODS.interruptSession, { sessionId: this.#sessionId }).catch(() => {});
  }

  #onNotification({ method, params }: InboundNotification): void {
    const { notification } = params;
    if (method !== "session_notification" || !isRecord(notification) || typeof notification.type !== "string") return;
    // Until the session's id is known, all notifications belong to the one session that this connection opens.
    if (this.#sessionId !== "" && params.sessionId !== this.#sessionId) return;
    const told = notification as SessionNotification;
    if (this.#options.json) this.#options.terminal.json(told);
    else this.#printer.print(told);
    if (told.type === "permission_resolved" || told.type === "ask_user_resolved")
      this.#open.get(String(told.requestId))?.abort();
    if (told.type === "agent_turn_completed" && told.turnId === this.#messageId) this.#end(told);
  }

  async #onRequest(request: InboundRequest): Promise<unknown> {
    const closed = new AbortController();
    this.#open.set(request.id, closed);
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
    this.#printer.endLine();
    if (method === METHODS.requestPermission.name) {
      const permission = params as unknown as RequestPermissionParams;
      const what = permission.toolUses.map(describeToolUse).join("; ");
      if (yes) {
        this.#printer.note(`approved by --yes: ${what}`);
        return approve(permission);
      }
      if (canAsk) return askPermission(permission, ask, signal);
      this.#printer.note(`refused, because there is no terminal to ask at (--yes approves): ${what}`);
      return CANCEL_ANSWERS.request_permission;
    }
    const questions = params as unknown as AskUserParams;
    if (canAsk) return askQuestions(questions, ask, signal);
    this.#printer.note("A question of the agent was cancelled, because there is no terminal to ask at.");
    return CANCEL_ANSWERS.ask_user;
  }

  #report(end: SessionNotification): void {
    this.#printer.endLine();
    if (this.#options.json)
      this.#options.terminal.json({ type: "result", sessionId: this.#sessionId, reason: end.reason });
    else if (end.reason !== "completed") {
      this.#printer.note(`The turn ended: ${end.reason}${typeof end.message === "string" ? ` (${end.message})` : ""}.`);
    }
  }
}

function isRefusal(answer: RequestPermissionResult | AskUserResult): boolean {
  return "selectedOption" in answer ? answer.selectedOption === "cancel" : answer.cancelled === true;
}
