import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { connectDaemon, type DaemonConnection, type DaemonSession } from "@daemon-sdk/client";
import { Ledger, type SeededRandom } from "@daemon-sdk/testing";
import { ChaosProxy } from "@daemon-sdk/testing/node";
import { PositionedDial } from "../faults/support/positioned-dial.js";
import { ProbedDaemon } from "../faults/support/probed-daemon.js";
import { Books } from "./books.js";

const KEY = "fk-the-key-of-the-model-test";
const CLIENTS = 4;
const SESSIONS = 6;
/** Short, so that a link that went silent is noticed while the run lasts. */
const HEARTBEAT = { intervalMs: 1_000, timeoutMs: 1_000 };

/** A connection behind a bad network, and what it holds of the sessions. */
export interface ModelClient {
  readonly name: string;
  readonly proxy: ChaosProxy;
  readonly connection: DaemonConnection;
  readonly dial: PositionedDial;
  readonly handles: Map<string, DaemonSession>;
}

/** A daemon that may die at any time, clients with links that break, and the sessions that they share. */
export class World implements AsyncDisposable {
  readonly daemon: ProbedDaemon;
  readonly clients: readonly ModelClient[];
  readonly sessionIds: readonly string[];
  readonly books: Books;
  readonly ledger: Ledger;
  /** What was begun and has not settled. */
  readonly running = new Set<Promise<void>>();
  /** Entries that clients were given. */
  entries = 0;
  readonly #streaming = new Set<string>();

  private constructor(parts: Pick<World, "daemon" | "clients" | "sessionIds" | "books" | "ledger">) {
    this.daemon = parts.daemon;
    this.clients = parts.clients;
    this.sessionIds = parts.sessionIds;
    this.books = parts.books;
    this.ledger = parts.ledger;
  }

  /** Every session is made by one client, and followed by one more at least. */
  static async open(random: SeededRandom): Promise<World> {
    const daemon = await ProbedDaemon.start({ apiKeys: [KEY] });
    const ledger = new Ledger({ seed: random.seed });
    const clients: ModelClient[] = [];
    for (let index = 0; index < CLIENTS; index += 1) clients.push(await openClient(daemon, index, random));
    const sessionIds: string[] = [];
    for (let index = 0; index < SESSIONS; index += 1) {
      const [maker, follower] = [clients[index % CLIENTS], clients[(index + 1) % CLIENTS]];
      assert.ok(maker && follower);
      const session = await maker.connection.createSession({ cwd: daemon.workspace, permissionHandler: allow });
      sessionIds.push(session.sessionId);
      hold(maker, session, ledger);
      hold(follower, await follower.connection.resumeSession(session.sessionId, { permissionHandler: allow }), ledger);
    }
    // What a session says before its followers listen is in nobody's book.
    for (const { connection } of clients) await connection.listOpenedSessions();
    const world = new World({ daemon, clients, sessionIds, ledger, books: new Books(ledger, daemon.workspace) });
    const count = () => {
      world.entries += 1;
    };
    for (const { handles } of clients) for (const session of handles.values()) session.onNotification(count);
    return world;
  }

  /** A client that holds some session, and its handle of it. */
  anyHandle(random: SeededRandom): { client: ModelClient; session: DaemonSession } {
    const all = this.clients.flatMap((client) => [...client.handles.values()].map((session) => ({ client, session })));
    return random.pick(all as [(typeof all)[number], ...typeof all]);
  }

  /** Begins something that settles by itself; a rejection is a fault, and so is what has not settled at the end. */
  begin(what: string, work: () => Promise<void>): void {
    const running: Promise<void> = work()
      .catch((error: unknown) => this.books.fault(`${what}: ${describe(error)}`))
      .finally(() => this.running.delete(running));
    this.running.add(running);
  }

  /** Whether that client streams in that session now. */
  isStreaming({ name }: ModelClient, sessionId: string): boolean {
    return this.#streaming.has(`${name} ${sessionId}`);
  }

  /** That client streams from now on, until the returned function is called. */
  streaming({ name }: ModelClient, sessionId: string): () => void {
    const key = `${name} ${sessionId}`;
    this.#streaming.add(key);
    return () => void this.#streaming.delete(key);
  }

  /** A name for a message that was never used. */
  newMessageId(): string {
    return randomUUID();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { connection, proxy } of this.clients) {
      await connection.close();
      await proxy.close();
    }
    await this.daemon[Symbol.asyncDispose]();
  }
}

async function openClient(daemon: ProbedDaemon, index: number, random: SeededRandom): Promise<ModelClient> {
  const proxy = await ChaosProxy.start({ target: { path: daemon.socketPath }, seed: random.seed + index });
  const dial = new PositionedDial();
  const url = `ws://127.0.0.1:${proxy.port}`;
  const connection = await connectDaemon({ url, apiKey: KEY, transport: dial.dial, heartbeat: HEARTBEAT });
  return { name: `client ${index}`, proxy, connection, dial, handles: new Map() };
}

function hold(client: ModelClient, session: DaemonSession, ledger: Ledger): void {
  client.handles.set(session.sessionId, session);
  client.dial.follow(session, ledger, client.name);
}

/** Every client allows what is asked; the first answer wins. */
function allow(): "proceed_once" {
  return "proceed_once";
}

function describe(error: unknown): string {
  return error instanceof Error ? `${String(Reflect.get(error, "code"))} ${error.message}` : String(error);
}
