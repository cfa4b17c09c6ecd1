import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** What parts and scenarios say to each other: plain data. */
export type Message = Readonly<Record<string, unknown>>;

/** How a part's process is started. */
export interface RoleOptions {
  readonly args?: readonly string[];
  /** Flags of Node, such as `--expose-gc`. */
  readonly execArgv?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** A process that plays one part of a scenario; both talk by messages. */
export class RoleProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
  readonly #waiting: ((message: Message | undefined) => void)[] = [];
  readonly #messages: Message[] = [];
  #ended = false;

  private constructor(child: ChildProcess) {
    this.child = child;
    this.exited = once(child, "exit").then(() => this.#end());
    child.on("message", (message: Message) => {
      const next = this.#waiting.shift();
      if (next === undefined) this.#messages.push(message);
      else next(message);
    });
  }

  /** Starts this very program in that part (`faults.ts` looks at `--role`). */
  static start(role: string, { args = [], execArgv = [], env = {} }: RoleOptions = {}): RoleProcess {
    const child = fork(process.argv[1] ?? "", ["--role", role, ...args], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      execArgv: [...execArgv],
      env: { ...process.env, ...env },
    });
    return new RoleProcess(child);
  }

  tell(message: Message): void {
    this.child.send(message);
  }

  /** The next message of the part. */
  async next<Fields = Record<string, number>>(): Promise<Fields> {
    const known = this.#messages.shift();
    if (known !== undefined) return known as Fields;
    if (this.#ended) throw new Error("The part has ended; its stderr says why.");
    const message = await new Promise<Message | undefined>((resolve) => this.#waiting.push(resolve));
    if (message === undefined) throw new Error("The part ended before it said anything more; its stderr says why.");
    return message as Fields;
  }

  /** Tells the part something and waits for what it says to that. */
  ask<Fields = Record<string, number>>(message: Message): Promise<Fields> {
    this.tell(message);
    return this.next<Fields>();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill("SIGKILL");
    await this.exited;
  }

  #end(): void {
    this.#ended = true;
    for (const next of this.#waiting.splice(0)) next(undefined);
  }
}

/** Says something to the scenario. */
export function say(message: Message): void {
  process.send?.(message);
}

/** Ends this role when the scenario has ended, or no longer needs it. */
export function endWithScenario(): void {
  process.once("disconnect", () => process.exit());
}
