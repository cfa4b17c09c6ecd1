import { randomUUID } from "node:crypto";
import { connectDaemon, type DaemonConnection, type EventPosition, type Position } from "@daemon-sdk/client";
import type { SeededRandom } from "@daemon-sdk/testing";
import { type ChaosConnection, ChaosProxy } from "@daemon-sdk/testing/node";
import { ProbedDaemon } from "../../faults/support/probed-daemon.js";
import { type Follower, type FollowerOptions, SdkFollower, SseFollower } from "./follower.js";
import { Gateway } from "./gateway.js";
import { idOf, type Word } from "./journal-words.js";

const KEY = "fk-the-key-of-the-follow-model";
const SESSIONS = 2;
/** Short, so that a link that went silent is noticed while the run lasts. */
const HEARTBEAT = { intervalMs: 1_000, timeoutMs: 1_000 };

/** A message that was sent, and the answer that its turn gives when it comes to its end. */
export interface Sent {
  readonly sessionId: string;
  readonly messageId: string;
  readonly answer: string | undefined;
}

/** A session that is followed. */
export interface FollowedSession {
  readonly sessionId: string;
  /** Where its journal began. */
  readonly begin: Position;
  /** The last message of the run. */
  readonly lastId: string;
}

/** A daemon that may die at any time, sessions with turns, and followers of both kinds on links that break. */
export class FollowWorld implements AsyncDisposable {
  readonly daemon: ProbedDaemon;
  readonly sessions: readonly FollowedSession[];
  readonly sent: Sent[] = [];
  readonly faults: string[] = [];
  readonly followers: { readonly follower: Follower; readonly done: Promise<void> }[] = [];
  /** Sends and answers; on a link that nobody cuts. */
  readonly sender: DaemonConnection;
  readonly #gateway: Gateway;
  readonly #connections: readonly DaemonConnection[];
  readonly #proxies: readonly ChaosProxy[];
  readonly #toGateway: ChaosProxy;

  private constructor(parts: {
    readonly daemon: ProbedDaemon;
    readonly sessions: readonly FollowedSession[];
    readonly sender: DaemonConnection;
    readonly gateway: Gateway;
    readonly connections: readonly DaemonConnection[];
    readonly proxies: readonly ChaosProxy[];
    readonly toGateway: ChaosProxy;
  }) {
    this.daemon = parts.daemon;
    this.sessions = parts.sessions;
    this.sender = parts.sender;
    this.#gateway = parts.gateway;
    this.#connections = parts.connections;
    this.#proxies = parts.proxies;
    this.#toGateway = parts.toGateway;
  }

  /** Two connections for followers, one for the gateway; each session has two followers of each kind from its beginning. */
  static async open(random: SeededRandom): Promise<FollowWorld> {
    const daemon = await ProbedDaemon.start({ apiKeys: [KEY] });
    const direct = { permissionHandler: () => "proceed_once", askUserHandler: answerFirst } as const;
    const sender = await connectTo({ path: daemon.socketPath }, random, direct);
    const links = [];
    for (let index = 0; index < 3; index += 1) links.push(await connectTo({ path: daemon.socketPath }, random));
    const [one, other, behind] = links as [Link, Link, Link];
    const gateway = await Gateway.open(behind.connection);
    const toGateway = await ChaosProxy.start({ target: { port: gateway.port }, seed: random.seed });
    const sessions: FollowedSession[] = [];
    for (let index = 0; index < SESSIONS; index += 1) {
      const session = await sender.connection.createSession({ cwd: daemon.workspace });
      const { sessionId, snapshot } = session;
      sessions.push({ sessionId, begin: snapshot.position as Position, lastId: randomUUID() });
    }
    const proxies = [sender, ...links].map(({ proxy }) => proxy);
    const connections = [one.connection, other.connection, behind.connection];
    const world = new FollowWorld({
      daemon,
      sessions,
      sender: sender.connection,
      gateway,
      connections,
      proxies,
      toGateway,
    });
    for (const session of sessions)
      for (let index = 0; index < 4; index += 1) world.follow(session, session.begin, index);
    return world;
  }

  /** Begins a follower after a position. Its number chooses its kind. */
  follow({ sessionId, lastId }: FollowedSession, after: EventPosition | string, kind: number): void {
    const id = typeof after === "string" ? after : idOf(after);
    const partial = kind % 4 !== 3;
    const name = `${kind % 2 === 0 ? "SDK" : "SSE"} follower ${this.followers.length} after ${id}`;
    const options: FollowerOptions = { name, sessionId, after: id, partial };
    const connection = this.#connections[kind % 4 === 0 ? 0 : 1] as DaemonConnection;
    const follower =
      kind % 2 === 0
        ? new SdkFollower(options, connection)
        : new SseFollower(options, `http://127.0.0.1:${this.#toGateway.port}`);
    const isLast = ({ type, turnId }: Word) => type === "result" && turnId === lastId;
    const done = follower.until(isLast).catch((error: unknown) => {
      this.faults.push(`${name} failed: ${String(error)}`);
    });
    this.followers.push({ follower, done });
  }

  /** The links of followers, and those of the gateway to both sides; not the sender's. */
  get links(): ChaosConnection[] {
    return [...this.#proxies.slice(1), this.#toGateway].flatMap(({ connections }) => [...connections]);
  }

  replaceGateway(): Promise<void> {
    return this.#gateway.replace();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { follower } of this.followers) follower.end();
    await Promise.all(this.followers.map(({ done }) => done));
    await this.#gateway[Symbol.asyncDispose]();
    await this.#toGateway.close();
    for (const connection of [this.sender, ...this.#connections]) await connection.close();
    for (const proxy of this.#proxies) await proxy.close();
    await this.daemon[Symbol.asyncDispose]();
  }
}

interface Link {
  readonly proxy: ChaosProxy;
  readonly connection: DaemonConnection;
}

async function connectTo(target: { path: string }, random: SeededRandom, handlers: object = {}): Promise<Link> {
  const proxy = await ChaosProxy.start({ target, seed: random.seed });
  const url = `ws://127.0.0.1:${proxy.port}`;
  return { proxy, connection: await connectDaemon({ url, apiKey: KEY, heartbeat: HEARTBEAT, ...handlers }) };
}

function answerFirst({ questions }: { questions: { index: number; question: string; options: string[] }[] }) {
  return {
    answers: questions.map(({ index, question, options }) => ({ index, question, answer: options[0] ?? "yes" })),
  };
}
