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

/** Output that a terminal has written, for the tool call that shows the terminal. */
export interface ToolOutput {
  readonly toolCallId: string;
  readonly text: string;
}

type Update = Readonly<Record<string, unknown>>;

/**
 * The terminals that an agent runs and whose output it reports beside its tool calls (docs/wire/acp.md#version-2). Bytes of one
 * character may come in two chunks.
 */
export class AgentTerminals {
  readonly #terminals = new Map<string, Terminal>();

  /** Receives `terminal_output_chunk`: bytes that follow the former ones. */
  chunk({ terminalId, data }: Update): ToolOutput[] {
    const terminal = this.#terminalOf(terminalId);
    return terminal === undefined ? [] : added(terminal, decoded(terminal, data));
  }

  /** Receives `terminal_update`; its `output` is the whole output. */
  update({ terminalId, output }: Update): ToolOutput[] {
    const terminal = this.#terminalOf(terminalId);
    if (terminal === undefined || !isRecord(output)) return [];
    const whole = Buffer.from(textOf(output.data) ?? "", "base64").toString("utf8");
    const text = whole.startsWith(terminal.output) ? whole.slice(terminal.output.length) : whole;
    terminal.output = "";
    const known = added(terminal, text);
    terminal.output = whole.slice(-AGENT_LIMITS.terminalChars);
    return known;
  }

  /** The content of a tool call shows terminals: returns what they wrote before. */
  shown(toolCallId: string, content: unknown): string {
    let text = "";
    for (const { type, terminalId } of recordsOf(content)) {
      const terminal = type === "terminal" ? this.#terminalOf(terminalId) : undefined;
      if (terminal === undefined || terminal.toolCallId === toolCallId) continue;
      terminal.toolCallId = toolCallId;
      text += terminal.output;
    }
    return text;
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

function added(terminal: Terminal, text: string): ToolOutput[] {
  terminal.output = (terminal.output + text).slice(-AGENT_LIMITS.terminalChars);
  const { toolCallId } = terminal;
  return toolCallId === undefined || text === "" ? [] : [{ toolCallId, text }];
}
