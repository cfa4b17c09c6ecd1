import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** A process of the bench with one role. It exchanges messages with the bench. */
export interface RoleProcess {
  readonly child: ChildProcess;
  /** The message with which the process reported that it is ready. */
  readonly ready: Record<string, unknown>;
  tell(message: Record<string, unknown>): void;
  stop(): Promise<void>;
}

/** Starts this very program in another part (`bench.ts` looks at `--role`). Resolves when it says that it is ready. */
export async function startRole(role: string, ...args: string[]): Promise<RoleProcess> {
  const program = process.argv[1] ?? "";
  const child = fork(program, ["--role", role, ...args], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const exited = once(child, "exit");
  const [ready] = (await Promise.race([once(child, "message"), exited.then(() => [undefined])])) as [unknown];
  if (typeof ready !== "object" || ready === null) throw new Error(`The bench's ${role} ended before it was ready.`);
  return {
    child,
    ready: ready as Record<string, unknown>,
    tell: (message) => void child.send(message),
    async stop() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** Reports to the bench that this role is ready. */
export function sayReady(fields: Record<string, unknown>): void {
  // The bench has ended, so this process is no longer needed.
  process.once("disconnect", () => process.exit());
  process.send?.(fields);
}
