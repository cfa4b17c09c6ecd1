import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connectDaemon, type DaemonConnection, type DaemonSession } from "@daemon-sdk/client";
import { WebSocket } from "ws";
import type { Contestant, OpenMeasure } from "../measure.js";
import { BENCH_KEY } from "../roles/daemon.js";
import { type RoleProcess, startRole } from "../roles/role.js";

const OPENING_AT_ONCE = 32;

/** A contestant, and the end of what it needs. */
export interface Lane {
  readonly contestant: Contestant;
  close(): Promise<void>;
}

/** Opens lanes one after the other, and closes them together. */
export async function openLanes(open: readonly (() => Promise<Lane>)[]): Promise<OpenMeasure> {
  const lanes: Lane[] = [];
  for (const lane of open) lanes.push(await lane());
  const close = async () => void (await Promise.all(lanes.map((lane) => lane.close())));
  return { contestants: lanes.map(({ contestant }) => contestant), close };
}

/** Our daemon in a process of its own, and a connection to it. @param args of the role */
export async function openDaemon(...args: string[]): Promise<{ daemon: RoleProcess; connection: DaemonConnection }> {
  const daemon = await startRole("daemon", ...args);
  return { daemon, connection: await connectTo(daemon) };
}

/** The local token of a daemon of the bench, as options of a connection: a key may have some hundred connections, the person any number. */
export function tokenOf(daemon: RoleProcess): { token: string } {
  return { token: readFileSync(join(String(daemon.ready.stateDir), "token"), "utf8").trim() };
}

/** A further connection to a daemon of the bench, over TCP. */
export function connectTo(daemon: RoleProcess, credential: object = { apiKey: BENCH_KEY }): Promise<DaemonConnection> {
  return connectDaemon({ url: `ws://127.0.0.1:${daemon.ready.port}`, ...credential });
}

/** New sessions, each with an agent that runs. */
export async function openSessions(
  connection: DaemonConnection,
  count: number,
  options: { agent?: string } = {},
): Promise<DaemonSession[]> {
  const sessions: DaemonSession[] = [];
  while (sessions.length < count) {
    const batch = Array.from({ length: Math.min(OPENING_AT_ONCE, count - sessions.length) }, () =>
      connection.createSession({ cwd: process.cwd(), ...options }),
    );
    sessions.push(...(await Promise.all(batch)));
  }
  return sessions;
}

/** A WebSocket of `ws`, open. */
export function openRaw(port: unknown): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(socket));
    socket.on("error", reject);
  });
}
