import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { type WebSocket, WebSocketServer } from "ws";
import { SHELL_AGENT } from "./daemon.js";
import { answerFigures } from "./process-figures.js";
import { sayReady } from "./role.js";

const MAX_WAITING_BYTES = 1024 * 1024;
const EPOCH = 1_760_000_000;
const FLOOD = ["/bin/sh", SHELL_AGENT, "flood"] as const;
const PACED = [process.execPath, process.argv[1] ?? "", "--role", "paced-agent", "flood"] as const;

/**
 * The whole path made by hand, with nothing that makes it safe: lines of agents' pipes are parsed, stamped with a position, made
 * into text again and sent to everybody. No sessions, no credit, no bounds. A message that is a number asks the agents for that many
 * lines altogether; a message of two numbers goes to each agent as it is.
 *
 * Arguments: the number of agents; `segments` for a journal, which has one row for each chunk of a pipe; `paced` for agents that
 * write at a rate.
 */
export function playPipeHub(): void {
  const [count = "1", ...flags] = process.argv.slice(4);
  const command = flags.includes("paced") ? PACED : FLOOD;
  const hub = new PipeHub(Number(count), command, flags.includes("segments") ? new SegmentJournal() : undefined);
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  server.on("connection", (webSocket) => hub.accept(webSocket));
  server.on("listening", () => sayReady({ port: (server.address() as AddressInfo).port }));
  answerFigures();
  process.once("SIGTERM", () => {
    hub.close();
    process.exit();
  });
}

class PipeHub {
  readonly #agents: ChildProcess[];
  readonly #journal: SegmentJournal | undefined;
  readonly #readers = new Set<{ webSocket: WebSocket; socket: Socket }>();

  constructor(agents: number, command: readonly [string, ...string[]], journal: SegmentJournal | undefined) {
    this.#journal = journal;
    this.#agents = Array.from({ length: agents }, (_, index) => this.#start(command, `session-${index}`));
  }

  accept(webSocket: WebSocket): void {
    const reader = { webSocket, socket: (webSocket as unknown as { _socket: Socket })._socket };
    this.#readers.add(reader);
    webSocket.on("close", () => this.#readers.delete(reader));
    webSocket.on("message", (data) => {
      const order = String(data);
      const each = order.includes(" ") ? order : String(Math.floor(Number(order) / this.#agents.length));
      for (const { stdin } of this.#agents) stdin?.write(`${each}\n`);
    });
  }

  close(): void {
    for (const agent of this.#agents) agent.kill("SIGKILL");
    this.#journal?.close();
  }

  #start([program, ...args]: readonly [string, ...string[]], sessionId: string): ChildProcess {
    const agent = spawn(program, [...args, sessionId], { stdio: ["pipe", "pipe", "inherit"] });
    let rest = "";
    let seq = 0;
    agent.stdout.on("data", (chunk: Buffer) => {
      // The frames are ASCII, so no character is cut in two.
      const lines = (rest + chunk.toString("latin1")).split("\n");
      rest = lines.pop() ?? "";
      const frames = lines.map((line) => stamped(line, ++seq));
      this.#journal?.put(sessionId, seq, frames);
      this.#send(frames, agent.stdout);
    });
    return agent;
  }

  #send(frames: readonly string[], source: NodeJS.ReadableStream): void {
    for (const { webSocket, socket } of this.#readers) {
      socket.cork();
      for (const frame of frames) webSocket.send(frame);
      socket.uncork();
    }
    const full = [...this.#readers].filter(({ socket }) => socket.writableLength >= MAX_WAITING_BYTES);
    if (full.length === 0) return;
    source.pause();
    void Promise.all(full.map(({ socket }) => new Promise((drained) => socket.once("drain", drained)))).then(() =>
      source.resume(),
    );
  }
}

function stamped(line: string, seq: number): string {
  const frame = JSON.parse(line) as Record<string, unknown>;
  frame._meta = { epoch: EPOCH, seq };
  return JSON.stringify(frame);
}

/** One row and one transaction for each chunk, in a file on disk, as safe as ours: it survives the process. */
class SegmentJournal {
  readonly #directory = mkdtempSync(join(tmpdir(), "bench-journal-"));
  readonly #database = new DatabaseSync(join(this.#directory, "journal.db"));
  readonly #insert;

  constructor() {
    this.#database.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL");
    this.#database.exec("CREATE TABLE segments (no INTEGER PRIMARY KEY, session TEXT, last_seq INTEGER, frames TEXT)");
    this.#insert = this.#database.prepare("INSERT INTO segments (session, last_seq, frames) VALUES (?, ?, ?)");
  }

  put(sessionId: string, lastSeq: number, frames: readonly string[]): void {
    this.#insert.run(sessionId, lastSeq, frames.join("\n"));
  }

  close(): void {
    this.#database.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
