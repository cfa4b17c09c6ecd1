import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { connectDaemon, type DaemonConnection } from "@daemon-sdk/client";
import { connectLocal } from "@daemon-sdk/client/local";
import { type Dial, joinTransports, type Transport } from "@daemon-sdk/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DaemonProcess, startDaemonProcess } from "../../../../test/support/daemon-process.js";
import { dialPort, MessagePortTransport } from "../../src/transports/message-port-transport.js";
import { dialCommand } from "../../src/transports/stdio.js";
import { dialTcp, openGateway, type TcpServer } from "../../src/transports/tcp.js";

const BRIDGE = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), "dist", "stdio-bridge.js");
const dialDaemon = async () => (await connectLocal()).transport;

describe("a stream over a transport of a third party goes on after a cut, each event once", () => {
  let daemon: DaemonProcess;
  let own: DaemonConnection;
  let gateway: TcpServer;
  beforeAll(async () => {
    daemon = await startDaemonProcess();
    own = await connectDaemon();
    gateway = await openGateway(dialDaemon);
  });
  afterAll(async () => {
    await gateway.close();
    await own.close();
    await daemon.stop();
  });

  const DIALS: Readonly<Record<string, Dial>> = {
    "TCP frames": dialTcp(),
    "a child's stdio": dialCommand([process.execPath, BRIDGE]),
    "a message port": dialPort((port) => joinTransports(new MessagePortTransport(port), dialDaemon())),
  };

  test.each(Object.entries(DIALS))("over %s", async (_, dial) => {
    const links: Transport[] = [];
    const statuses: string[] = [];
    await using connection = await connectDaemon({
      url: `tcp://127.0.0.1:${gateway.port}`,
      async transport(request) {
        const link = await dial(request);
        links.push(link);
        return link;
      },
      ticket: async () => (await own.createTicket()).ticket,
      onStatus: ({ type }) => void statuses.push(type),
    });
    await using session = await connection.createSession({ cwd: daemon.workspace });
    const deltas: string[] = [];
    let text = "";
    for await (const event of session.stream("count 40 every 20", { includePartialMessages: true })) {
      if (event.type === "assistant_text_delta") deltas.push(event.text);
      if (event.type === "result") text = event.text;
      if (deltas.length === 10 && links.length === 1) links[0]?.terminate();
    }
    expect(deltas.join("")).toBe(text);
    expect(text).toMatch(/\b40\b/);
    expect(links).toHaveLength(2);
    expect(statuses).toEqual(["connected", "reconnecting", "connected"]);
  });
});
