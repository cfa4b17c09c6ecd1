import { silentLogger } from "@daemon-sdk/protocol";
import type { Command } from "commander";
import { AcpFace, type EditorOutput } from "../acp-face/index.js";
import { StdioTransport } from "../agents/index.js";
import { FACE_LIMITS } from "../limits/index.js";
import type { CommandLine } from "./command-line.js";
import { callDaemon, callRunningDaemon } from "./daemon-call.js";
import { describeError, EXIT } from "./fail.js";
import type { Terminal } from "./terminal.js";

/** Adds `acp`. Its output is a protocol of its own, so it has no `--json`. */
export function addAcpCommand(program: Command, cli: CommandLine): void {
  program
    .command("acp")
    .description("serve the daemon's sessions to an editor over the Agent Client Protocol, on stdin and stdout")
    .option("-a, --agent <name>", "agent of new sessions; default the daemon's")
    .option("--own-turns-only", "leave out the content of turns that other clients began", false)
    .addHelpText(
      "after",
      "\nFor Zed, JetBrains IDEs, acpx and others. An editor that is closed leaves its turns running; it loads the session again.",
    )
    .action(
      cli.action(
        (context, options: { agent?: string; ownTurnsOnly: boolean }) => serveEditor({ ...context, ...options }),
        "abort",
      ),
    );
}

/** `local-daemon acp`. */
export interface AcpOptions {
  readonly stateDir: string;
  readonly terminal: Pick<Terminal, "note">;
  readonly agent?: string | undefined;
  readonly ownTurnsOnly: boolean;
  /** Aborted at the first Ctrl-C, and when nobody reads what is written. */
  readonly interrupted: AbortSignal;
}

/**
 * Serves the daemon's sessions to an editor on stdin and stdout, until stdin ends. Nothing but messages is written to stdout. The daemon
 * is started when none runs; sessions and their turns outlive this process.
 */
export async function serveEditor(options: AcpOptions): Promise<number> {
  const { interrupted } = options;
  const transport = new StdioTransport({
    input: process.stdin,
    output: process.stdout,
    maxLineBytes: FACE_LIMITS.lineBytes,
    keepsOutput: true,
  });
  const waiting: (() => void)[] = [];
  transport.onWritable = () => {
    for (const callback of waiting.splice(0)) callback();
  };
  const face = makeFace(options, {
    send: (text) => transport.send(text),
    onceWritable: (callback) => void waiting.push(callback),
  });
  transport.onBadLine = (error) => face.skip(error.message);
  transport.onMessage = (text) => face.receive(text);
  const isInterrupted = new Promise<void>((resolve) => {
    interrupted.addEventListener("abort", () => resolve(), { once: true });
  });
  // Nobody reads any more: no answer is waited for.
  const isBroken = new Promise<void>((resolve) => {
    transport.onBroken = () => resolve();
  });
  const isAnswered = transport.ended.then(() => face.answered());
  await Promise.race([isInterrupted, isBroken, isAnswered]);
  face.end();
  if (interrupted.aborted) transport.terminate();
  else transport.close();
  return EXIT.ok;
}

function makeFace({ stateDir, agent, ownTurnsOnly, terminal }: AcpOptions, output: EditorOutput): AcpFace {
  return new AcpFace({
    ...{ output, agent, ownTurnsOnly, logger: silentLogger, mustAuthenticate: false, isLasting: true },
    connect: async (start) => {
      try {
        return await (start ? callDaemon(stateDir) : callRunningDaemon(stateDir));
      } catch (error) {
        // The editor's log; its call is answered with the same.
        if (start) terminal.note(`local-daemon: ${describeError(error)}`);
        throw error;
      }
    },
    onEnd: () => {},
  });
}
