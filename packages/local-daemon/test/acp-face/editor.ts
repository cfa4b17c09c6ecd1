import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../../dist/bin.cjs", import.meta.url));

/** A message as an editor receives it. */
export interface Frame {
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data?: Readonly<Record<string, unknown>>;
  };
}

export type Update = Readonly<Record<string, unknown>> & { readonly sessionUpdate: string };

/** An editor that writes its lines by hand: it must not share our own reading of the protocol. */
export class Editor {
  readonly frames: Frame[] = [];
  readonly #write: (line: string) => void;
  #nextId = 0;
  #waiters: { isMet(): boolean; resolve(): void }[] = [];

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  receive(line: string): void {
    this.frames.push(JSON.parse(line) as Frame);
    const met = this.#waiters.filter(({ isMet }) => isMet());
    this.#waiters = this.#waiters.filter((waiter) => !met.includes(waiter));
    for (const { resolve } of met) resolve();
  }

  send(frame: object): void {
    this.#write(JSON.stringify({ jsonrpc: "2.0", ...frame }));
  }

  /** Sends a call; its answer is waited for elsewhere. */
  begin(method: string, params: object): number {
    const id = this.#nextId++;
    this.send({ id, method, params });
    return id;
  }

  answerTo(id: number): Promise<Frame> {
    return this.until((frame) => frame.id === id && frame.method === undefined);
  }

  call(method: string, params: object): Promise<Frame> {
    return this.answerTo(this.begin(method, params));
  }

  /** The result of a call that has to succeed. */
  async result(method: string, params: object): Promise<Readonly<Record<string, unknown>>> {
    const { result, error } = await this.call(method, params);
    if (result === undefined) throw new TypeError(`${method}: ${JSON.stringify(error)}`);
    return result;
  }

  async open(params: object = {}): Promise<Readonly<Record<string, unknown>>> {
    return this.result("initialize", { protocolVersion: 1, clientCapabilities: {}, ...params });
  }

  async newSession(cwd: string, extra: object = {}): Promise<string> {
    return String((await this.result("session/new", { cwd, mcpServers: [], ...extra })).sessionId);
  }

  beginPrompt(sessionId: string, text: string): number {
    return this.begin("session/prompt", { sessionId, prompt: [{ type: "text", text }] });
  }

  prompt(sessionId: string, text: string): Promise<Frame> {
    return this.answerTo(this.beginPrompt(sessionId, text));
  }

  updates(sessionId?: string): Update[] {
    return this.frames.flatMap(({ method, params }) =>
      method === "session/update" && (sessionId === undefined || params?.sessionId === sessionId)
        ? [params?.update as Update]
        : [],
    );
  }

  /** Text of the chunks of that kind, joined. */
  text(sessionId?: string, kind = "agent_message_chunk"): string {
    return this.updates(sessionId)
      .flatMap(({ sessionUpdate, content }) =>
        sessionUpdate === kind ? [String((content as { text?: string }).text ?? "")] : [],
      )
      .join("");
  }

  async updated(fields: object): Promise<Update> {
    const fits = (update: Update) => Object.entries(fields).every(([key, value]) => update[key] === value);
    await this.when(() => this.updates().some(fits));
    return this.updates().find(fits) as Update;
  }

  /** The n-th request of that method. */
  async asked(method: string, count = 1): Promise<Frame> {
    const all = () => this.frames.filter((frame) => frame.method === method);
    await this.when(() => all().length >= count);
    return all()[count - 1] as Frame;
  }

  async until(isWanted: (frame: Frame) => boolean): Promise<Frame> {
    await this.when(() => this.frames.some(isWanted));
    return this.frames.find(isWanted) as Frame;
  }

  when(isMet: () => boolean): Promise<void> {
    if (isMet()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ isMet, resolve }));
  }
}

/** An editor and the program that it runs. */
export interface EditorProcess extends AsyncDisposable {
  readonly editor: Editor;
  readonly child: ChildProcess;
  readonly exitCode: Promise<number | null>;
}

/** Starts `local-daemon acp` with pipes, as an editor does. */
export function spawnAcp(stateDir: string, ...args: string[]) {
  return spawn(process.execPath, [PROGRAM, "acp", ...args], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, DAEMON_SDK_HOME: stateDir },
    stdio: ["pipe", "pipe", "inherit"],
  });
}

/** Runs `local-daemon acp` with an editor that the test plays. */
export function startEditor(stateDir: string, ...args: string[]): EditorProcess {
  const child = spawnAcp(stateDir, ...args);
  const editor = new Editor((line) => child.stdin.write(`${line}\n`));
  createInterface({ input: child.stdout }).on("line", (line) => editor.receive(line));
  const exitCode = once(child, "close").then(([code]) => code as number | null);
  return {
    editor,
    child,
    exitCode,
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await exitCode;
    },
  };
}
