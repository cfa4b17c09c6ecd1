import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { RelayClient } from "@daemon-sdk/client/relay";
import { createEnvelope, FrameParser, FrameWriter } from "@daemon-sdk/protocol/relay";
import { importPeer } from "../roles/relay-hub.js";
import { type RoleProcess, startRole } from "../roles/role.js";

/** Two clients on one daemon, reduced to what is measured: one sends, the other counts. */
export interface Pair {
  readonly name: string;
  send(body: string): void;
  /** Set by the measure: called for each received message. */
  onArrival: () => void;
  close(): Promise<void>;
}

interface PublishedClient {
  onMessage?: () => void;
  connect(): Promise<void>;
  sendMessage(to: string, body: string): boolean;
  destroy(): void;
}

/** Clients of the published SDK through a daemon of that kind. */
export async function publishedPair(hub: string, name: string): Promise<Pair> {
  const role = await startRole("relay-hub", hub);
  const { RelayClient: Published } = await importPeer("@agent-relay/sdk/dist/index.js");
  const make = (agentName: string) =>
    new (Published as new (config: object) => PublishedClient)({ agentName, socketPath: pathOf(role), quiet: true });
  const [sender, receiver] = [make("Sender"), make("Receiver")];
  await Promise.all([sender.connect(), receiver.connect()]);
  const pair: Pair = {
    name,
    send: (body) => void sender.sendMessage("Receiver", body),
    onArrival: () => {},
    async close() {
      sender.destroy();
      receiver.destroy();
      await role.stop();
    },
  };
  receiver.onMessage = () => pair.onArrival();
  return pair;
}

/** Our clients through our daemon. */
export async function ourPair(name: string, receipts: boolean): Promise<Pair> {
  const role = await startRole("relay-hub", "ours");
  const make = (agentName: string) => new RelayClient({ agentName, socketPath: pathOf(role), receipts });
  const [sender, receiver] = [make("Sender"), make("Receiver")];
  await Promise.all([sender.connect(), receiver.connect()]);
  const pair: Pair = {
    name,
    // Messages without a receipt at the end of the bench are ignored.
    send: (body) => void sender.send("Receiver", body).catch(() => {}),
    onArrival: () => {},
    async close() {
      await Promise.all([sender.close(), receiver.close()]);
      await role.stop();
    },
  };
  void (async () => {
    for await (const _ of receiver.messages()) pair.onArrival();
  })();
  return pair;
}

/** Frames through a process that passes bytes on: what the sockets and the framing alone can do. */
export async function rawPair(name: string): Promise<Pair> {
  const role = await startRole("relay-hub", "pipe");
  const sender = await open(role);
  const receiver = await open(role);
  const writer = new FrameWriter();
  const pair: Pair = {
    name,
    send(body) {
      if (writer.pendingFrames === 0) setImmediate(() => sender.write(writer.take()));
      writer.write(createEnvelope("SEND", { kind: "message", body }, { to: "Receiver" }));
    },
    onArrival: () => {},
    async close() {
      sender.destroy();
      receiver.destroy();
      await role.stop();
    },
  };
  const parser = new FrameParser({ onFrame: () => pair.onArrival(), onError: () => receiver.destroy() });
  receiver.on("data", (chunk) => parser.push(chunk));
  return pair;
}

async function open(role: RoleProcess): Promise<Socket> {
  const socket = connect(pathOf(role));
  await once(socket, "connect");
  return socket;
}

function pathOf(role: RoleProcess): string {
  return String(role.ready.socketPath);
}
