import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { type RoleProcess, sayReady, startRole } from "./role.js";

/** Where `npm run bench` installs the published peers. */
const FOLDER = join(process.cwd(), "bench", "peers");

/** A connected client of a published peer. */
export interface PeerClient {
  /** One request with its answer, 200 bytes. */
  call(): Promise<unknown>;
  /** Asks for that many events, and calls back with each. */
  flood?(count: number, onEvent: () => void): unknown;
  /** The same through its iterator. */
  floodIterated?(count: number, onEvent: () => void): unknown;
  close(): Promise<void>;
}

interface PeerModule {
  serve(): Promise<string>;
  connect(address: string): Promise<PeerClient>;
}

/** A published peer: its module in `bench/peers`, and the package and program that it needs. */
export interface Peer {
  readonly name: string;
  readonly module: string;
  readonly needs: string;
  readonly program?: string;
}

/** The peers of the bench. */
export const PEERS = {
  vscodeJsonrpc: { name: "vscode-jsonrpc, unix socket", module: "vscode-jsonrpc", needs: "vscode-jsonrpc" },
  socketIo: { name: "socket.io", module: "socket-io", needs: "socket.io" },
  graphqlWs: { name: "graphql-ws", module: "graphql-ws", needs: "graphql-ws" },
  mcp: { name: "MCP SDK, stdio", module: "mcp", needs: "@modelcontextprotocol/sdk" },
  acp: { name: "ACP SDK over WebSocket", module: "acp", needs: "@agentclientprotocol/sdk" },
  nats: { name: "nats.js with nats-server", module: "nats", needs: "@nats-io/transport-node", program: "nats-server" },
} as const satisfies Record<string, Peer>;

/** A peer that runs: its server in a process of its own, its client in this one. */
export interface OpenPeer {
  readonly peer: Peer;
  readonly client: PeerClient;
  close(): Promise<void>;
}

/** Starts those peers that can be, and names the others with the reason. */
export async function openPeers(
  peers: readonly Peer[],
): Promise<{ readonly open: readonly OpenPeer[]; readonly absent: readonly string[] }> {
  const absent: string[] = [];
  const open: OpenPeer[] = [];
  for (const peer of peers) {
    const missing = missingOf(peer);
    if (missing !== undefined) {
      absent.push(`${peer.name}: ${missing}`);
      continue;
    }
    try {
      open.push(await openPeer(peer));
    } catch (error) {
      absent.push(`${peer.name}: it did not start, ${String(error)}`);
    }
  }
  return { open, absent };
}

async function openPeer(peer: Peer): Promise<OpenPeer> {
  const server: RoleProcess = await startRole("peer", peer.module);
  const client = await (await importModule(peer.module)).connect(String(server.ready.address));
  return {
    peer,
    client,
    async close() {
      await client.close();
      await server.stop();
    },
  };
}

/** The server of a peer. */
export async function playPeer(): Promise<void> {
  const { serve } = await importModule(process.argv[4] ?? "");
  sayReady({ address: await serve() });
  process.once("SIGTERM", () => process.exit());
}

function missingOf({ needs, program }: Peer): string | undefined {
  if (!existsSync(join(FOLDER, "node_modules", needs))) return `${needs} is not installed in bench/peers.`;
  if (program !== undefined && !isOnPath(program)) return `${program} is not on PATH.`;
  return undefined;
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((directory) => existsSync(join(directory, program)));
}

async function importModule(name: string): Promise<PeerModule> {
  return (await import(pathToFileURL(join(FOLDER, `${name}.mjs`)).href)) as PeerModule;
}
