import { type ChildProcess, spawn } from "node:child_process";
import { timeLimit } from "@daemon-sdk/protocol";
import { clipped, type ToolContext, type ToolUse } from "./tool.js";

/** Time-out of a command, after which it is killed. */
const RUN_TIMEOUT_MS = 120_000;
/** Time from SIGTERM to SIGKILL; short, because a user waits for the interrupt. */
const KILL_GRACE_MS = 300;
/** Characters of output that are kept. The rest is read and dropped, so that the command does not block. */
const MAX_OUTPUT_CHARS = 100_000;

/** `Execute`: a shell command in the session's directory. Needs permission. An interrupt kills the whole process group. */
export function runCommand(command: string): ToolUse {
  return {
    name: "Execute",
    input: { command },
    confirmation: { type: "exec", fullCommand: command, command: command.split(/\s+/)[0] ?? command },
    run: (context) => execute(command, context),
  };
}

function execute(command: string, { workspace, signal, progress }: ToolContext): Promise<string> {
  return new Promise((resolve, reject) => {
    // A process group of its own, because a kill of the shell alone would not end its children.
    const child = spawn("sh", ["-c", command], {
      cwd: workspace.root,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output: string[] = [];
    let chars = 0;
    const collect = (chunk: string) => {
      if (chars >= MAX_OUTPUT_CHARS) return;
      chars += chunk.length;
      output.push(chunk);
      progress(chunk);
    };
    child.stdout.setEncoding("utf8").on("data", collect);
    child.stderr.setEncoding("utf8").on("data", collect);
    const limit = timeLimit(RUN_TIMEOUT_MS, signal);
    const kill = () => killGroup(child);
    limit.signal.addEventListener("abort", kill, { once: true });
    if (limit.signal.aborted) kill();
    child.once("error", (error) => {
      limit.end();
      reject(error);
    });
    // Ends background processes of the command, which would also keep the pipes open.
    child.once("exit", () => signalGroup(child, "SIGKILL"));
    child.once("close", (code, endedBy) => {
      limit.end();
      limit.signal.removeEventListener("abort", kill);
      const how = endedBy === null ? `exited with code ${code}` : `was killed by ${endedBy}`;
      const text = clipped(`${output.join("").trimEnd()}\n\n[Process ${how}]`.trimStart());
      if (signal.aborted) reject(signal.reason);
      else resolve(text);
    });
  });
}

function killGroup(child: ChildProcess): void {
  signalGroup(child, "SIGTERM");
  const timer = setTimeout(() => signalGroup(child, "SIGKILL"), KILL_GRACE_MS);
  child.once("close", () => clearTimeout(timer));
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended already.
  }
}
