import { StringDecoder } from "node:string_decoder";
import { isRecord } from "@daemon-sdk/protocol";
import { AGENT_LIMITS } from "../../../../limits/index.js";
import { recordsOf, textOf } from "../content.js";

interface Terminal {
  readonly decoder: StringDecoder;
  /** The tool call that shows it; undefined until one does. */
  toolCallId: string | undefined;
  /** Its output until now, or the end of it. */
  output: string;
}

type Update = Readonly<Record<string, unknown>>;

/**
 * Terminals whose output is not part of a tool call, and the tool calls that show them: those that an agent runs and reports
 * (docs/wire/acp.md#version-2), and those that the daemon runs for it. Bytes of one character may come in two chunks.
 *
 * Output becomes an update of the tool call, as agents of version 1 report it.
 */
export class AgentTerminals {
  readonly #terminals = new Map<string, Terminal>();

  /** Receives text that follows the former. */
  wrote(terminalId: string, text: string): Update[] {
    const terminal = this.#terminalOf(terminalId);
    return terminal === undefined ? [] : added(terminal, text);
  }

  /** Receives `terminal_output_chunk`: bytes that follow the former ones. */
  chunk({ terminalId, data }: Update): Update[] {
    const terminal = this.#terminalOf(terminalId);
    return terminal === undefined ? [] : added(terminal, decoded(terminal, data));
  }

  /** Receives `terminal_update`; its `output` is the whole output. */
  update({ terminalId, output }: Update): Update[] {
    const terminal = this.#terminalOf(terminalId);
    if (terminal === undefined || !isRecord(output)) return [];
    const whole = Buffer.from(textOf(output.data) ?? "", "base64").toString("utf8");
    const text = whole.startsWith(terminal.output) ? whole.slice(terminal.output.length) : whole;
    terminal.output = "";
    const known = added(terminal, text);
    terminal.output = whole.slice(-AGENT_LIMITS.terminalChars);
    return known;
  }

  /** An update of a tool call with what the terminals that it begins to show wrote before. */
  withOutput(update: Update): Update {
    const toolCallId = String(update.toolCallId);
    let text = "";
    for (const { type, terminalId } of recordsOf(update.content)) {
      const terminal = type === "terminal" ? this.#terminalOf(terminalId) : undefined;
      if (terminal === undefined || terminal.toolCallId === toolCallId) continue;
      terminal.toolCallId = toolCallId;
      text += terminal.output;
    }
    return text === "" ? update : { ...update, ...outputOf(text) };
  }

  #terminalOf(id: unknown): Terminal | undefined {
    if (typeof id !== "string") return undefined;
    let terminal = this.#terminals.get(id);
    if (terminal === undefined) {
      terminal = { decoder: new StringDecoder("utf8"), toolCallId: undefined, output: "" };
      this.#terminals.set(id, terminal);
      const [oldest] = this.#terminals.keys();
      if (this.#terminals.size > AGENT_LIMITS.terminals && oldest !== undefined) this.#terminals.delete(oldest);
    }
    return terminal;
  }
}

function decoded({ decoder }: Terminal, data: unknown): string {
  return decoder.write(Buffer.from(textOf(data) ?? "", "base64"));
}

function outputOf(text: string): object {
  return { _meta: { terminal_output_delta: { data: text } } };
}

function added(terminal: Terminal, text: string): Update[] {
  terminal.output = (terminal.output + text).slice(-AGENT_LIMITS.terminalChars);
  const { toolCallId } = terminal;
  return toolCallId === undefined || text === "" ? [] : [{ toolCallId, ...outputOf(text) }];
}
