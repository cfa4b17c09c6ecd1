import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createDaemon } from "@daemon-sdk/local-daemon/server";
import { createEnvelope, type Envelope, FrameParser, FrameWriter } from "@daemon-sdk/protocol/relay";
import { sayReady } from "./role.js";

/** Where `npm run interop:relay` installs the published peers. */
const PEERS = join(process.cwd(), "test", "interop", "relay", "node_modules");

const UNLIMITED = 1_000_000_000;

interface RunningHub {
  close(): Promise<void> | void;
}

const HUBS: Readonly<
  Record<string, (directory: string, socketPath: string) => Promise<RunningHub & { path?: string | undefined }>>
> = {
  ours: openOurs,
  published: openPublished,
  minimal: async (_directory, socketPath) => listen(socketPath, minimalRouter()),
  pipe: async (_directory, socketPath) => listen(socketPath, rawPipe()),
};

/** One relay daemon in a process of its own: ours, the published one, or what either is held against. */
export async function playRelayHub(): Promise<void> {
  const open = HUBS[process.argv[4] ?? ""];
  const directory = mkdtempSync(join(tmpdir(), "bench-relay-"));
  const socketPath = join(directory, "hub.sock");
  const hub = await open?.(directory, socketPath);
  process.once("SIGTERM", async () => {
    await hub?.close();
    rmSync(directory, { recursive: true, force: true });
    process.exit(0);
  });
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  process.on("message", () => {
    collect();
    process.send?.({ rss: process.memoryUsage().rss });
  });
  sayReady({ socketPath: hub?.path ?? socketPath });
}

/** Mailboxes in SQLite on disk, as shipped; only the rate limit is off. */
async function openOurs(directory: string) {
  const limits = { relaySendsPerSecond: UNLIMITED, relaySendBurst: UNLIMITED, mailboxEntries: UNLIMITED };
  const daemon = await createDaemon({ stateDir: join(directory, "state"), limits });
  return { path: daemon.endpoint.socketPath, close: () => daemon.close({ drainMs: 0 }) };
}

interface PublishedDaemon {
  router: { rateLimiter: object };
  registry?: { save(): void };
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Without side work: status files off, rate limiter off, memory storage. */
async function openPublished(directory: string, socketPath: string) {
  Object.assign(process.env, { HOME: directory, AGENT_RELAY_TELEMETRY_DISABLED: "1" });
  console.log = () => {};
  console.warn = () => {};
  const { Daemon } = await importPeer("@agent-relay/daemon/dist/index.js");
  const { MemoryStorageAdapter } = await importPeer("@agent-relay/storage/dist/adapter.js");
  const teamDir = join(directory, "team");
  mkdirSync(teamDir);
  const off = { cloudSync: false, consensus: false };
  const storageAdapter = new (MemoryStorageAdapter as new () => object)();
  const config = { socketPath, pidFilePath: `${socketPath}.pid`, teamDir, storageAdapter, ...off };
  const daemon = new (Daemon as new (config: object) => PublishedDaemon)(config);
  const silence = () => {};
  const statusFiles = ["writeAgentsFile", "writeProcessingStateFile", "writeConnectedAgentsFile"];
  Object.assign(daemon, Object.fromEntries(statusFiles.map((name) => [name, silence])));
  if (daemon.registry) daemon.registry.save = silence;
  await daemon.start();
  daemon.router.rateLimiter = { tryAcquire: () => true };
  if (daemon.registry) daemon.registry.save = silence;
  return { close: () => daemon.stop() };
}

/** What to do when the published peers are not installed; undefined when they are. */
export function missingPeers(): string | undefined {
  return existsSync(PEERS) ? undefined : "The published peers are missing. `npm run interop:relay` installs them.";
}

/** A module of the published peers. */
export async function importPeer(path: string): Promise<Record<string, unknown>> {
  return (await import(pathToFileURL(join(PEERS, path)).href)) as Record<string, unknown>;
}

function listen(socketPath: string, onSocket: (socket: Socket) => void): Promise<RunningHub> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    onSocket(socket);
  });
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return new Promise((resolve) => server.listen(socketPath, () => resolve({ close })));
}

/** The least a relay can do: names to sockets, SEND to DELIVER. Nothing is stored, tracked, limited or checked. */
function minimalRouter(): (socket: Socket) => void {
  const peers = new Map<string, (envelope: Envelope<object>) => void>();
  return (socket) => {
    let name = "";
    let seq = 0;
    const writer = new FrameWriter();
    const send = (envelope: Envelope<object>): void => {
      if (writer.pendingFrames === 0) setImmediate(() => socket.write(writer.take()));
      writer.write(envelope);
    };
    const parser = new FrameParser({
      onError: () => socket.destroy(),
      onFrame(envelope) {
        if (envelope.type === "HELLO") {
          name = String(envelope.payload.agent);
          peers.set(name, send);
          const server = { max_frame_bytes: 1_048_576, heartbeat_ms: 5000 };
          send(createEnvelope("WELCOME", { session_id: name, resume_token: name, server }));
        } else if (envelope.type === "SEND") {
          seq += 1;
          const { to = "", payload, id, ts } = envelope;
          const delivery = { seq, session_id: to };
          peers.get(to)?.({ v: 1, type: "DELIVER", id: `d${id}`, ts, from: name, to, payload, delivery });
        }
      },
    });
    socket.on("data", (chunk) => parser.push(chunk));
  };
}

/** Bytes from the first connection to the second, unread. */
function rawPipe(): (socket: Socket) => void {
  let first: Socket | undefined;
  return (socket) => {
    if (first === undefined) {
      first = socket;
      return;
    }
    first.on("data", (chunk) => socket.write(chunk));
    first = undefined;
  };
}
