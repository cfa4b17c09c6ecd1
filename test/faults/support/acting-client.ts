import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { connectDaemon, type DaemonConnection, type DaemonSession } from "@daemon-sdk/client";
import { Ledger } from "@daemon-sdk/testing";
import { type ChaosConnection, ChaosProxy } from "@daemon-sdk/testing/node";
import { within } from "../../stress/check.js";
import type { ForegroundDaemon } from "./foreground-daemon.js";
import { journalHeads } from "./journal-heads.js";
import { PositionedDial } from "./positioned-dial.js";

const SOON_MS = 20_000;

/** Options of {@link ActingClient.open}. */
export interface ActingClientOptions {
  readonly daemon: ForegroundDaemon;
  /** Tells it from others: part of the name of the file that its agent writes to. */
  readonly name: string;
  readonly seed: number;
  readonly onConnection?: (connection: ChaosConnection) => void;
}

/**
 * A client behind a bad network whose agent acts: each turn asks for permission, and then appends one line to a file. So what
 * was acted on twice, or never, stands in that file; and what the client was given stands in its ledger.
 */
export class ActingClient implements AsyncDisposable {
  readonly proxy: ChaosProxy;
  readonly connection: DaemonConnection;
  readonly session: DaemonSession;
  readonly dial: PositionedDial;
  readonly ledger: Ledger;
  readonly #options: ActingClientOptions;
  readonly #expected: string[] = [];
  #asked = 0;

  private constructor(
    options: ActingClientOptions,
    parts: Pick<ActingClient, "proxy" | "connection" | "session" | "dial" | "ledger">,
  ) {
    this.#options = options;
    this.proxy = parts.proxy;
    this.connection = parts.connection;
    this.session = parts.session;
    this.dial = parts.dial;
    this.ledger = parts.ledger;
  }

  static async open(options: ActingClientOptions): Promise<ActingClient> {
    const { daemon, seed, onConnection } = options;
    const proxy = await ChaosProxy.start({
      target: { path: daemon.socketPath },
      seed,
      ...(onConnection === undefined ? {} : { onConnection }),
    });
    const dial = new PositionedDial();
    const url = `ws://127.0.0.1:${proxy.port}`;
    const connection = await connectDaemon({ url, token: daemon.token, transport: dial.dial });
    const asking = { count: () => {} };
    const session = await connection.createSession({
      cwd: daemon.workspace,
      permissionHandler: () => {
        asking.count();
        return "proceed_once";
      },
    });
    const ledger = new Ledger({ seed });
    dial.follow(session, ledger, options.name);
    const client = new ActingClient(options, { proxy, connection, session, dial, ledger });
    asking.count = () => {
      client.#asked += 1;
    };
    return client;
  }

  /** The link that is in use, or the last one. */
  get link(): ChaosConnection {
    const link = this.proxy.connections.at(-1);
    assert.ok(link, "there is a link");
    return link;
  }

  /** How often the file's writing was asked for. */
  get asked(): number {
    return this.#asked;
  }

  /** Runs one turn with actions to its end, and waits until all is settled. Returns the stream's events, without a gap. */
  async act(): Promise<void> {
    const line = `line ${this.#expected.length} of ${this.#options.name}`;
    this.#expected.push(line);
    const messageId = crypto.randomUUID();
    this.ledger.promise(messageId, this.session.sessionId);
    const prompt = `append ${this.#file}: ${line}\\n ; then say done ${line}`;
    const told: string[] = [];
    let deltas = "";
    const streaming = (async () => {
      for await (const event of this.session.stream(prompt, { messageId, includePartialMessages: true })) {
        if (event.type === "assistant_text_delta") deltas += event.text;
        else told.push(event.type === "result" ? `result ${event.subtype}` : event.type);
      }
    })();
    await within(SOON_MS, streaming);
    assert.ok(!told.includes("gap"), "nothing was pruned, so there is no gap");
    assert.deepEqual(
      told.filter((text) => text.startsWith("result")),
      ["result success"],
    );
    assert.equal(deltas.split(`done ${line}`).length, 2, `the answer came once: ${deltas}`);
    // Whatever comes after the end of the turn has come, and a link that was cut in it is back.
    await within(SOON_MS, this.connection.listOpenedSessions());
  }

  /** Everything that is wrong: at this client, in the journal, at the agent. */
  async faults(): Promise<string[]> {
    const { daemon } = this.#options;
    for (const [sessionId, head] of await journalHeads(daemon, [this.session.sessionId]))
      this.ledger.head(sessionId, head);
    const path = join(daemon.workspace, this.#file);
    const written = existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
    const acted = JSON.stringify(written) === JSON.stringify(this.#expected);
    const asked = this.#asked === this.#expected.length;
    return [
      ...this.ledger.verify(),
      ...(acted ? [] : [`The agent wrote ${written.length} lines for ${this.#expected.length} prompts.`]),
      ...(asked ? [] : [`${this.#asked} questions were asked for ${this.#expected.length} prompts.`]),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session.close();
    await this.connection.close();
    await this.proxy.close();
  }

  get #file(): string {
    return `acts-${this.#options.name}.txt`;
  }
}
