import { newId } from "@daemon-sdk/protocol";
import { PATIENCE_MS, violated } from "../expectation.js";
import type { WirePosition } from "../wire-frame.js";
import type { DaemonCase, DaemonCredential, DaemonHarness, DaemonPrompts } from "./daemon-harness.js";
import { WireClient } from "./wire-client.js";

/** A session of a case, and the client that made it. */
export interface OpenedSession {
  readonly sessionId: string;
  readonly client: WireClient;
  /** Position of the snapshot, if the daemon offers `positions`. */
  readonly position: WirePosition | undefined;
}

/** Tools of one case of the daemon contract. */
export class DaemonBench {
  readonly harness: DaemonHarness;
  readonly prompts: DaemonPrompts;
  readonly #patienceMs: number;
  readonly #clients: WireClient[] = [];
  readonly #authenticated: WireClient[] = [];
  readonly #sessions = new Set<string>();

  constructor(harness: DaemonHarness) {
    this.harness = harness;
    this.prompts = harness.prompts;
    this.#patienceMs = harness.patienceMs ?? PATIENCE_MS;
  }

  /** A new connection on which nothing was sent. */
  async open(): Promise<WireClient> {
    const client = new WireClient(await this.harness.connect(), this.#patienceMs);
    this.#clients.push(client);
    return client;
  }

  /** An authenticated client. */
  async client(credential: DaemonCredential = this.harness.credential): Promise<WireClient> {
    const client = await this.open();
    await client.result("authenticate", { caller: "daemon-contract", ...credential });
    this.#authenticated.push(client);
    return client;
  }

  /** A new session. `params` are added to those of `initialize_session`. The client uses extensions unless `isPlain`. */
  async session(options: { client?: WireClient; isPlain?: boolean; params?: object } = {}): Promise<OpenedSession> {
    const client = options.client ?? (await this.client());
    const inbox = options.isPlain ? {} : { inbox: true };
    const cwd = this.harness.workingDirectory ?? ".";
    const base = { token: "local", machineId: "default", cwd, ...inbox };
    const { sessionId, position } = await client.result("initialize_session", { ...base, ...options.params });
    if (typeof sessionId !== "string") violated(`initialize_session answered with the sessionId ${String(sessionId)}`);
    this.#sessions.add(sessionId);
    return { sessionId, client, position: position as WirePosition | undefined };
  }

  /** Attaches a client to a session; default a new client. */
  async join(sessionId: string, options: { client?: WireClient; isPlain?: boolean; params?: object } = {}) {
    const client = options.client ?? (await this.client());
    const inbox = options.isPlain ? {} : { inbox: true };
    const snapshot = await client.result("load_session", { sessionId, token: "local", ...inbox, ...options.params });
    return { client, snapshot };
  }

  /** Sends a prompt and waits for its acknowledgement. Returns the id of the message. */
  async prompt({ client, sessionId }: Pick<OpenedSession, "client" | "sessionId">, text: string): Promise<string> {
    const messageId = newId();
    await client.result("add_user_message", { sessionId, text, messageId });
    return messageId;
  }

  /** Sends a prompt and waits for the end of its turn. */
  async turn(session: Pick<OpenedSession, "client" | "sessionId">, text: string): Promise<string> {
    const messageId = await this.prompt(session, text);
    await session.client.turnEnd(messageId);
    return messageId;
  }

  /** Makes a round trip, after which all frames that the daemon sent before have arrived. */
  async settle(...clients: WireClient[]): Promise<void> {
    for (const client of clients) await client.call("list_opened_sessions");
  }

  /** Ends the sessions of the case, then its connections. */
  dispose(): void {
    const client = this.#authenticated.find(({ end }) => end === undefined);
    for (const sessionId of this.#sessions) {
      client?.request("interrupt_session", { sessionId });
      client?.request("close_session", { sessionId });
    }
    for (const one of this.#clients) one.transport.close();
  }
}

/** A case with a bench of its own, which is disposed of afterwards in any case. */
export function daemonCase(
  id: string,
  title: string,
  check: (bench: DaemonBench) => Promise<void>,
  needs: readonly string[] = [],
): DaemonCase {
  return {
    id,
    title,
    needs,
    async run(harness) {
      const bench = new DaemonBench(harness);
      try {
        await check(bench);
      } finally {
        bench.dispose();
      }
    },
  };
}
