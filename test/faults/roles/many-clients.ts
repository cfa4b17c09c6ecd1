import { quantile } from "../support/figures.js";
import { type Frame, RawClient } from "../support/raw-client.js";
import { endWithScenario, type Message, say } from "./role.js";

const CONNECTING_AT_ONCE = 20;

/**
 * Many connections in one process of their own, so that neither their work nor their memory is the scenario's. `{ open, each }`
 * makes so many connections with so many sessions each; `{ receive }` waits for that many text deltas, which hold the time at
 * which they were told, and says how long they took.
 */
export async function playManyClients([url = "", token = "", cwd = ""]: readonly string[]): Promise<void> {
  endWithScenario();
  const arrivals = new Arrivals();
  const open = (each: number) => openClient({ url, token, cwd, each }, arrivals);
  process.on("message", (message: Message) => {
    if (message.open !== undefined) void openAll(Number(message.open), () => open(Number(message.each)));
    else arrivals.await(Number(message.receive));
  });
  say({ ready: true });
}

async function openAll(count: number, open: () => Promise<void>): Promise<void> {
  for (let done = 0; done < count; done += CONNECTING_AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(CONNECTING_AT_ONCE, count - done) }, open));
  }
  say({ opened: count });
}

interface ClientOptions {
  readonly url: string;
  readonly token: string;
  readonly cwd: string;
  /** Sessions of this connection. */
  readonly each: number;
}

async function openClient({ url, token, cwd, each }: ClientOptions, arrivals: Arrivals): Promise<void> {
  const client = await RawClient.connect(url, token);
  client.onFrame = (frame) => arrivals.take(frame);
  for (let index = 0; index < each; index += 1) {
    const { error } = await client.call("initialize_session", { token, machineId: "m", cwd });
    if (error !== undefined) throw new Error(`A session was refused: ${error.message}`);
  }
}

/** What all clients got: how long each event was on its way, and whether it was the next one of its session. */
class Arrivals {
  #delays = new Float64Array(0);
  #count = 0;
  #misplaced = 0;
  #cpu = process.cpuUsage();
  readonly #seqs = new Map<unknown, number>();

  /** Begins to count, and says what came once that many have. */
  await(count: number): void {
    this.#delays = new Float64Array(count);
    this.#count = 0;
    this.#cpu = process.cpuUsage();
    say({ isListening: true });
  }

  take({ params, _meta: meta }: Frame): void {
    if (params === undefined || meta === undefined) return;
    const told = Object(params.notification) as { type?: string; textDelta?: string };
    const last = this.#seqs.get(params.sessionId);
    if (last !== undefined && meta.seq !== last + 1) this.#misplaced += 1;
    this.#seqs.set(params.sessionId, meta.seq);
    if (told.type !== "assistant_text_delta") return;
    this.#delays[this.#count] = performance.timeOrigin + performance.now() - Number(told.textDelta);
    this.#count += 1;
    if (this.#count === this.#delays.length) this.#tell();
  }

  #tell(): void {
    const { user, system } = process.cpuUsage(this.#cpu);
    const [p50, p99] = [quantile(this.#delays, 0.5), quantile(this.#delays, 0.99)];
    say({ p50, p99, misplaced: this.#misplaced, cpuMicros: user + system });
  }
}
