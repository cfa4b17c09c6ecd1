import { InvalidOptionError, type Logger } from "@daemon-sdk/protocol";
import type { DaemonSessionOptions, RunOptions } from "../../api/index.js";
import { checkOneOf, checkSignal, checkText, type Handlers, requireObject } from "../../base/index.js";
import { checkHandlers } from "../../connection/index.js";

/** A program that is an agent, and how it is spoken to. */
export interface ExecAgent {
  /** Program and arguments; never a shell line. */
  command: readonly [string, ...string[]];
  /** What it speaks on stdin and stdout. Default `stream-jsonrpc`, as `droid exec` does; `acp`: the Agent Client Protocol. */
  driver?: "stream-jsonrpc" | "acp";
  /** Variables of its own. */
  env?: Record<string, string>;
  /** Names of this program's variables that it gets beside `HOME`, `PATH`, the locale and the like. */
  inheritEnv?: string[];
  /** Driver `acp`: the mode to set before the first prompt. Default: one that asks, where the agent has one. */
  mode?: string;
  /** Driver `acp`: the model of sessions that name none. Default: the agent's own. */
  model?: string;
  /** How long it may take to open a conversation, in ms; default 30 000. */
  startTimeoutMs?: number;
}

/** What a program has in place of a daemon. */
export interface ExecAgentOptions {
  /**
   * A program, or a name: of a preset whose program is on PATH (`claude`, `codex`, `gemini`, `opencode`, `copilot`, `qwen`, `kimi`,
   * `pi`, `goose`, `droid`), or `workspace-agent`, which is built in. Default: the built-in one. `config.json` is not read.
   */
  agent?: string | ExecAgent;
  /** Default: no log is written. */
  logger?: Logger;
  /** Called with failures that no call rejects with. Default: the logger. */
  onError?: (error: Error) => void;
}

/** Options of `connectInProcess`. */
export interface InProcessOptions extends ExecAgentOptions, Handlers {
  /** Stops waiting. */
  signal?: AbortSignal;
}

/** Options of `createSession` without a daemon. A relative `cwd`, by default `"."`, is relative to this program's directory. */
export interface ExecSessionOptions extends Omit<DaemonSessionOptions, "agent">, ExecAgentOptions {}

/** Options of `run` without a daemon. A relative `cwd`, by default `"."`, is relative to this program's directory. */
export interface ExecRunOptions<Output = unknown> extends Omit<RunOptions<Output>, "agent">, ExecAgentOptions {}

/** Throws an `InvalidOptionError` for the first wrong option. */
export function checkInProcessOptions(options: InProcessOptions): void {
  requireObject("options", options);
  const { agent } = options;
  if (typeof agent === "object") checkAgent(agent);
  else checkText("agent", agent);
  checkHandlers(options);
  checkSignal("signal", options.signal);
}

function checkAgent(agent: ExecAgent): void {
  const { command, driver } = requireObject("agent", agent, "the name of an agent, or { command, driver }");
  if (!Array.isArray(command) || command.length === 0 || command.some((part) => typeof part !== "string")) {
    throw new InvalidOptionError("agent.command", "a program and its arguments, as an array", command);
  }
  checkOneOf("agent.driver", driver, ["stream-jsonrpc", "acp"]);
}
