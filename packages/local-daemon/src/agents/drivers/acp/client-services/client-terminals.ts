import { newId, ProtocolError } from "@daemon-sdk/protocol";
import { AGENT_LIMITS } from "../../../../limits/index.js";
import { Workspace } from "../../../../workspace/index.js";
import type { AgentExit } from "../../../agent.js";
import type { AgentProcess } from "../../../agent-process.js";
import { recordsOf, textOf } from "../content.js";
import { OutputTail } from "./output-tail.js";

type Params = Readonly<Record<string, unknown>>;

/** A command that an agent wants to be run. */
export interface TerminalCommand {
  /** Id of the terminal, with which every process of the command is marked. */
  readonly id: string;
  /** Program and arguments; never a shell line. */
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  /** Variables beside those of the agent. */
  readonly env: Readonly<Record<string, string>>;
}

/** Starts a command in the agent's environment. What it writes to stderr comes on its stdout. */
export type StartCommand = (
  command: TerminalCommand,
) => Promise<Pick<AgentProcess, "stdin" | "stdout" | "gone" | "stop">>;

/** Options of {@link ClientTerminals}. */
export interface ClientTerminalsOptions {
  readonly start: StartCommand;
  /** The session's directory, in which commands are started. */
  cwd(): string;
  /** Whether a turn runs: a command needs one, with which it ends. */
  isInTurn(): boolean;
  /** A command has ended; `text` is the end of what it wrote. */
  onOutput(terminalId: string, text: string): void;
}

interface Terminal {
  readonly process: Awaited<ReturnType<StartCommand>>;
  readonly output: OutputTail;
  exit: AgentExit | undefined;
}

/**
 * The commands that an agent has run by the daemon (docs/agents.md#agents-that-speak-acp). Each is killed when it is released, and at
 * the latest when its turn ends.
 */
export class ClientTerminals {
  readonly #options: ClientTerminalsOptions;
  readonly #terminals = new Map<string, Terminal>();
  /** Commands that start or run, released or not. */
  readonly #running = new Set<Promise<unknown>>();
  /** Counts the ends of turns: a command that started before an end is not wanted after it. */
  #ends = 0;

  constructor(options: ClientTerminalsOptions) {
    this.#options = options;
  }

  /** Serves `terminal/create`. Rejects with INVALID_PARAMS, or when the command cannot be started. */
  async create(params: Params): Promise<{ terminalId: string }> {
    if (!this.#options.isInTurn()) throw invalid("A terminal is offered while a turn runs.");
    if (Math.max(this.#terminals.size, this.#running.size) >= AGENT_LIMITS.terminals) {
      throw invalid(`The session has ${AGENT_LIMITS.terminals} terminals. Release one.`);
    }
    const starting = this.#start(params, this.#ends);
    const settled = starting.then(
      ({ process }) => process.gone,
      () => {},
    );
    this.#running.add(settled);
    void settled.then(() => this.#running.delete(settled));
    return { terminalId: (await starting).id };
  }

  /** Serves `terminal/output`. */
  output(params: Params): object {
    const { output, exit } = this.#find(params);
    return {
      output: output.toString(),
      truncated: output.isCut,
      ...(exit !== undefined && { exitStatus: status(exit) }),
    };
  }

  /** Serves `terminal/wait_for_exit`. */
  async waitForExit(params: Params): Promise<object> {
    return status(await this.#find(params).process.gone);
  }

  /** Serves `terminal/kill`: the id stays valid. */
  async kill(params: Params): Promise<object> {
    await this.#find(params).process.stop();
    return {};
  }

  /** Serves `terminal/release`: kills the command and forgets the id. */
  async release(params: Params): Promise<object> {
    const { process } = this.#find(params);
    this.#terminals.delete(String(params.terminalId));
    await process.stop();
    return {};
  }

  /** The turn, or the agent, has ended: kills every command. Resolves when none is left. */
  async endAll(): Promise<void> {
    this.#ends++;
    for (const { process } of this.#terminals.values()) void process.stop();
    this.#terminals.clear();
    await Promise.all(this.#running);
  }

  async #start(params: Params, ends: number) {
    const { start, cwd: sessionCwd, onOutput } = this.#options;
    const { command, args = [], env, cwd, outputByteLimit } = params;
    if (typeof command !== "string" || command === "") throw invalid("command must be a text.");
    if (!Array.isArray(args) || !args.every((arg) => typeof arg === "string")) throw invalid("args must be texts.");
    const workspace = await Workspace.open(sessionCwd());
    const directory = typeof cwd === "string" ? await workspace.resolve(cwd) : workspace.root;
    const id = newId();
    const process = await start({ id, command: [command, ...args], cwd: directory, env: variablesOf(env) });
    process.stdin.end();
    const wanted = typeof outputByteLimit === "number" ? outputByteLimit : AGENT_LIMITS.terminalBytes;
    const output = new OutputTail(process.stdout, Math.max(0, Math.min(wanted, AGENT_LIMITS.terminalBytes)));
    const terminal: Terminal = { process, output, exit: undefined };
    void process.gone.then((exit) => {
      terminal.exit = exit;
      onOutput(id, output.toString().slice(-AGENT_LIMITS.terminalShownChars));
    });
    if (ends !== this.#ends) {
      await process.stop();
      throw invalid("The turn has ended.");
    }
    this.#terminals.set(id, terminal);
    return { id, process };
  }

  #find({ terminalId }: Params): Terminal {
    const terminal = this.#terminals.get(String(terminalId));
    if (terminal === undefined) throw invalid("There is no such terminal.");
    return terminal;
  }
}

function status({ exitCode, signal }: AgentExit): { exitCode: number | null; signal: string | null } {
  return { exitCode, signal };
}

function variablesOf(env: unknown): Record<string, string> {
  const named = recordsOf(env).flatMap(({ name, value }) =>
    typeof name === "string" && name !== "" ? [[name, textOf(value) ?? ""] as const] : [],
  );
  return Object.fromEntries(named);
}

function invalid(message: string): ProtocolError {
  return new ProtocolError("INVALID_PARAMS", message);
}
