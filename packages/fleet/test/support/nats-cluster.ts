import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { freePort, NatsServer } from "./nats-server.js";

/** Name of the JetStream domain of a {@link NatsCluster}, by which its leaf passes on the interface of JetStream. */
export const DOMAIN = "hub";

/**
 * Starts three servers of one cluster. They do not advertise one another to clients: a client behind a `CuttablePort` would reconnect
 * past it.
 *
 * @param settingsOf further lines of the configuration of each server
 */
export async function startNodes(settingsOf: (at: number) => string): Promise<NatsServer[]> {
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(", ");
  const nodes = await Promise.all(
    ports.map((port, at) =>
      NatsServer.prepare(
        [
          `server_name: n${at + 1}`,
          `cluster { name: fleet, no_advertise: true, listen: "127.0.0.1:${port}", routes: [${routes}] }`,
          settingsOf(at),
        ].join("\n"),
      ),
    ),
  );
  await Promise.all(nodes.map((node) => node.run()));
  return nodes;
}

/** Resolves when the cluster has elected a leader: JetStream does not answer before. Closes the connection. */
export async function elected(nats: NatsConnection): Promise<void> {
  const isThere = () =>
    jetstreamManager(nats).then(
      () => true,
      () => false,
    );
  while (!(await isThere())) {}
  await nats.close();
}

/** Three servers that keep the registry together, and a leaf that is connected to the first of them. */
export class NatsCluster {
  readonly nodes: readonly NatsServer[];
  readonly leaf: NatsServer;

  private constructor(nodes: readonly NatsServer[], leaf: NatsServer) {
    this.nodes = nodes;
    this.leaf = leaf;
  }

  /** Resolves when the cluster has elected a leader. */
  static async start(): Promise<NatsCluster> {
    const leafPort = await freePort();
    const nodes = await startNodes((at) =>
      [`jetstream { domain: ${DOMAIN} }`, at === 0 ? `leafnodes { listen: "127.0.0.1:${leafPort}" }` : ""].join("\n"),
    );
    // Streams are those of the cluster: a leaf without JetStream of its own passes their subjects.
    const leaf = await NatsServer.start(
      `# store_dir: none\nleafnodes { remotes: [{ url: "nats://127.0.0.1:${leafPort}" }] }`,
    );
    await elected(await connect({ servers: nodes.map(({ url }) => url) }));
    return new NatsCluster(nodes, leaf);
  }

  get urls(): string[] {
    return this.nodes.map(({ url }) => url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [this.leaf, ...this.nodes]) await server[Symbol.asyncDispose]();
  }
}
