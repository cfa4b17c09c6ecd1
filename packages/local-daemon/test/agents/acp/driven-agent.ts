import { PassThrough } from "node:stream";
import { type SessionId, type SessionNotification, silentLogger } from "@daemon-sdk/protocol";
import type { AgentExit, AgentRequest, AgentSpec, AgentStart, AgentTurnEnd } from "../../../src/agents/agent.js";
import { AcpAgent } from "../../../src/agents/drivers/acp/index.js";
import type { RecordedFrame } from "./recording.js";

const SESSION = "s-1" as SessionId;
export const START: AgentStart = { sessionId: SESSION, cwd: "/home/user/project", settings: {} };

/** What the driver reported, in order. */
export type DriverEvent =
  | { readonly kind: "notification"; readonly notification: SessionNotification }
  | { readonly kind: "request"; readonly request: AgentRequest }
  | { readonly kind: "started" }
  | { readonly kind: "ended"; readonly end: AgentTurnEnd };

/** Options of {@link DrivenAgent}. */
export interface DrivenAgentOptions {
  readonly spec?: Partial<AgentSpec>;
  /** Called with each line of the driver. */
  onFrame(frame: RecordedFrame): void;
  /** Called with what the driver reports. */
  onEvent(event: DriverEvent): void;
}

/** A driver whose agent has no process: a test reads the lines that the driver writes, and writes lines back. */
export class DrivenAgent {
  readonly agent: AcpAgent;
  /** How the driver asked for the end of the process. */
  readonly stops: string[] = [];

  readonly #stdout = new PassThrough();
  #die: (exit: AgentExit) => void = () => {};

  constructor({ spec = {}, onFrame, onEvent }: DrivenAgentOptions) {
    const gone = new Promise<AgentExit>((resolve) => {
      this.#die = resolve;
    });
    this.agent = new AcpAgent({
      spec: { name: "tested", command: ["tested"], ...spec },
      process: {
        pid: 1,
        startTime: "0",
        stdin: linesInto(onFrame),
        stdout: this.#stdout,
        stderr: "written to stderr",
        dead: gone.then(() => {}),
        gone,
        state: "running",
        stop: (reason = "asked") => {
          this.stops.push(reason);
          this.exit({ signal: "SIGKILL", exitCode: null });
          return gone;
        },
      },
      sessionId: SESSION,
      logger: silentLogger,
      now: () => 0,
      events: {
        onNotification: (notification) => onEvent({ kind: "notification", notification }),
        onRequest: (request) => onEvent({ kind: "request", request }),
        onFault: () => {},
        onConversation: () => {},
        onTurnStarted: () => onEvent({ kind: "started" }),
        onTurnEnded: (end) => onEvent({ kind: "ended", end }),
        onExit: () => {},
      },
    });
  }

  write(frame: object): void {
    this.line(JSON.stringify({ jsonrpc: "2.0", ...frame }));
  }

  line(text: string): void {
    this.#stdout.write(`${text}\n`);
  }

  /** Nothing more is written; the process may still run. */
  endOutput(): void {
    this.#stdout.end();
  }

  exit(exit: Partial<AgentExit>): void {
    this.#stdout.end();
    this.#die({ exitCode: 0, signal: null, stderr: "", expected: false, ...exit });
  }
}

function linesInto(onFrame: (frame: RecordedFrame) => void): PassThrough {
  const stream = new PassThrough();
  let text = "";
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) onFrame(JSON.parse(line));
  });
  return stream;
}
