import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { RelayClient } from "@daemon-sdk/client/relay";
import { SeededRandom } from "@daemon-sdk/testing";
import { NatsServer } from "../../packages/fleet/test/support/nats-server.js";
import { DAEMON_PROGRAM } from "../support/daemon-process.js";

const MACHINES = ["a", "b", "c"] as const;
/** For a message that does not come; a busy machine delivers it in seconds. */
const ARRIVAL_MS = 30_000;
/** Pause before a name, or a socket, that is not there yet is tried again. */
const AGAIN_MS = 20;

/** Options of {@link runMailKills}. */
export interface MailKillsOptions {
  /** Messages whose senders got a receipt. */
  readonly messages: number;
  readonly kills: number;
  readonly random?: SeededRandom;
  /** Where the logs of the daemons are copied to when there are faults. Default: nowhere. */
  readonly logsTo?: string;
}

/** What {@link runMailKills} found. */
export interface MailKillsResult {
  readonly seed: number;
  /** Messages with a receipt. */
  readonly sent: number;
  /** Messages whose sender lost its connection before the receipt: they may have been stored. */
  readonly unknown: number;
  readonly kills: number;
  /** Empty when each message with a receipt came once, no other one twice, and all in order per sender and recipient. */
  readonly faults: readonly string[];
}

/** The numbers that one sender sent to one recipient, and those that came. */
interface Pair {
  next: number;
  readonly sure: number[];
  readonly arrived: number[];
}

/**
 * Mail among three machines while their daemons and the NATS server are killed at random: on each machine an agent sends numbers to one
 * on each other machine. Real processes, real disks.
 */
export async function runMailKills({
  messages,
  kills,
  random = new SeededRandom(),
  logsTo,
}: MailKillsOptions): Promise<MailKillsResult> {
  await using run = await MailRun.start(random);
  const rounds = Math.max(1, kills);
  for (let round = 1; round <= rounds; round++) {
    run.allow(Math.ceil((messages * round) / rounds));
    await delay(random.integer(0, 30));
    if (kills > 0) await run.kill();
    await run.sent();
  }
  const result = await run.result();
  if (result.faults.length > 0 && logsTo !== undefined) run.copyLogs(logsTo);
  return { seed: random.seed, kills, ...result };
}

class MailRun implements AsyncDisposable {
  readonly #directory = mkdtempSync(join(tmpdir(), "mail-kills-"));
  readonly #random: SeededRandom;
  readonly #server: NatsServer;
  readonly #machines: Machine[] = [];
  readonly #pairs = new Map<string, Pair>();
  #allowed = 0;
  #sure = 0;
  #unknown = 0;
  #isOver = false;

  static async start(random: SeededRandom): Promise<MailRun> {
    const run = new MailRun(random, await NatsServer.start());
    try {
      await Promise.all(run.#machines.map((machine) => machine.start()));
    } catch (error) {
      await run[Symbol.asyncDispose]();
      throw error;
    }
    for (const id of MACHINES) void run.#send(id);
    return run;
  }

  private constructor(random: SeededRandom, server: NatsServer) {
    this.#random = random;
    this.#server = server;
    for (const id of MACHINES) {
      const onNumber = (from: string, no: number) => void this.#pair(from, id).arrived.push(no);
      this.#machines.push(new Machine({ id, directory: join(this.#directory, id), servers: server.url, onNumber }));
    }
  }

  /** Senders may send so many messages altogether. */
  allow(messages: number): void {
    this.#allowed = messages;
  }

  /** Resolves when that many have receipts. */
  async sent(): Promise<void> {
    const since = performance.now();
    while (this.#sure < this.#allowed) {
      if (performance.now() - since > ARRIVAL_MS) throw new TypeError(`${this.#sure} of ${this.#allowed} were sent`);
      await delay(AGAIN_MS);
    }
  }

  /** Kills one of the processes, and starts it again. */
  async kill(): Promise<void> {
    const [first, ...others] = this.#machines;
    const victim = this.#random.pick<NatsServer | Machine>([this.#server, first as Machine, ...others]);
    await victim.kill();
    await delay(this.#random.integer(0, 100));
    if (victim instanceof Machine) await victim.start();
    else await victim.run();
  }

  async result(): Promise<Pick<MailKillsResult, "sent" | "unknown" | "faults">> {
    this.#isOver = true;
    const lacking = () => [...this.#pairs].flatMap(([pair, { sure, arrived }]) => missing(pair, sure, arrived));
    let arrived = -1;
    for (let since = performance.now(); lacking().length > 0 && performance.now() - since < ARRIVAL_MS; ) {
      const now = [...this.#pairs.values()].reduce((sum, pair) => sum + pair.arrived.length, 0);
      if (now !== arrived) since = performance.now();
      arrived = now;
      await delay(AGAIN_MS);
    }
    const unordered = [...this.#pairs].flatMap(([pair, { arrived: numbers }]) => disorder(pair, numbers));
    return { sent: this.#sure, unknown: this.#unknown, faults: [...lacking(), ...unordered] };
  }

  copyLogs(to: string): void {
    for (const id of MACHINES) cpSync(join(this.#directory, id, "daemon.log"), join(to, `${id}.log`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    for (const machine of this.#machines) await machine.kill();
    await this.#server[Symbol.asyncDispose]();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Sends numbers from one machine to the others, one at a time. */
  async #send(from: (typeof MACHINES)[number]): Promise<void> {
    const others = MACHINES.filter((id) => id !== from) as [string, string];
    while (!this.#isOver) {
      if (this.#sure >= this.#allowed) {
        await delay(AGAIN_MS);
        continue;
      }
      const to = this.#random.pick(others);
      await this.#sendOne(this.#machines[MACHINES.indexOf(from)] as Machine, to, this.#pair(from, to));
    }
  }

  async #sendOne(machine: Machine, to: string, pair: Pair): Promise<void> {
    const { sender } = machine;
    if (sender === undefined) return void (await delay(AGAIN_MS));
    try {
      const { state } = await sender.send(recipientOf(to), String(pair.next));
      // Its machine does not know the name yet.
      if (state === "refused") return void (await delay(AGAIN_MS));
      pair.sure.push(pair.next);
      this.#sure++;
    } catch {
      // Stored or not: the next number is another one.
      this.#unknown++;
    }
    pair.next++;
  }

  #pair(from: string, to: string): Pair {
    const key = `${from} to ${to}`;
    const pair = this.#pairs.get(key) ?? { next: 1, sure: [], arrived: [] };
    this.#pairs.set(key, pair);
    return pair;
  }
}

interface MachineOptions {
  readonly id: string;
  readonly directory: string;
  readonly servers: string;
  onNumber(from: string, no: number): void;
}

/** One daemon process, with an agent that sends and one that receives. */
class Machine {
  sender: RelayClient | undefined;
  readonly #options: MachineOptions;
  /** Ids of messages that came: a daemon that is killed before the ACK delivers them again. */
  readonly #seen = new Set<string>();
  #process: ChildProcess | undefined;
  #clients: RelayClient[] = [];

  constructor(options: MachineOptions) {
    this.#options = options;
    mkdirSync(options.directory, { mode: 0o700 });
  }

  async start(): Promise<void> {
    const { id, directory, servers } = this.#options;
    const args = [DAEMON_PROGRAM, "start", "--foreground", "--fleet", servers, "--machine", id];
    const env = { ...process.env, DAEMON_SDK_HOME: directory };
    this.#process = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "ignore"], env });
    const receiver = await this.#connect(recipientOf(id));
    void this.#receive(receiver);
    this.sender = await this.#connect(`sender-${id}`);
  }

  async kill(): Promise<void> {
    this.sender = undefined;
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    for (const client of this.#clients.splice(0)) await client.close();
  }

  /** Retries until the daemon listens. */
  async #connect(agentName: string): Promise<RelayClient> {
    const socketPath = join(this.#options.directory, "daemon.sock");
    for (;;) {
      const processCredential = `the credential of ${agentName}`;
      const client = new RelayClient({ agentName, socketPath, processCredential, reconnect: false });
      try {
        await client.connect();
        this.#clients.push(client);
        return client;
      } catch (error) {
        if (this.#process?.exitCode !== null) throw error;
        await delay(AGAIN_MS);
      }
    }
  }

  async #receive(client: RelayClient): Promise<void> {
    try {
      for await (const { id, from, body } of client.messages()) {
        if (this.#seen.has(id)) continue;
        this.#seen.add(id);
        this.#options.onNumber(from.replace("sender-", ""), Number(body));
      }
    } catch {
      // The daemon was killed.
    }
  }
}

function recipientOf(machine: string): string {
  return `receiver-${machine}`;
}

function missing(pair: string, sure: readonly number[], arrived: readonly number[]): string[] {
  const came = new Set(arrived);
  const lost = sure.filter((no) => !came.has(no));
  return lost.length === 0 ? [] : [`${pair}: ${lost.length} lost, the first is ${lost[0]}`];
}

function disorder(pair: string, arrived: readonly number[]): string[] {
  const at = arrived.findIndex((no, index) => index > 0 && no <= (arrived[index - 1] as number));
  return at < 0 ? [] : [`${pair}: ${arrived[at]} came after ${arrived[at - 1]}`];
}
