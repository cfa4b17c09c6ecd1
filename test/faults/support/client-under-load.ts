import { RoleProcess } from "../roles/role.js";

/** A client in a process of its own, and the daemon that feeds it in another. */
export class ClientUnderLoad implements AsyncDisposable {
  readonly #daemon: RoleProcess;
  readonly #client: RoleProcess;

  private constructor(daemon: RoleProcess, client: RoleProcess) {
    this.#daemon = daemon;
    this.#client = client;
  }

  /** @param role `measured-client` is ours; `raw-client` does the least that a reader has to do, and knows no memory. */
  static async start(role: "measured-client" | "raw-client" = "measured-client"): Promise<ClientUnderLoad> {
    const daemon = RoleProcess.start("scripted-daemon");
    const { port } = await daemon.next();
    const args = [`ws://127.0.0.1:${port}`];
    const client = RoleProcess.start(role, { args, execArgv: ["--expose-gc"] });
    await client.next();
    return new ClientUnderLoad(daemon, client);
  }

  /** Has the client do one of its tasks. */
  ask<Answer = Record<string, number>>(task: string, count = 0): Promise<Answer> {
    return this.#client.ask<Answer>({ task, count });
  }

  /** Feeds that many events to the client's sessions in turn. Returns the rate and the number out of order. */
  async feed(count: number): Promise<{ perSecond: number; misplaced: number }> {
    await this.ask("receive", count);
    const started = performance.now();
    this.#daemon.tell({ feed: count });
    const { events, misplaced = 0 } = await this.#client.next();
    const perSecond = (count / (performance.now() - started)) * 1000;
    await this.#daemon.next();
    if (events !== count) throw new Error(`${events} events came of ${count}`);
    return { perSecond, misplaced };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
    await this.#daemon[Symbol.asyncDispose]();
  }
}
