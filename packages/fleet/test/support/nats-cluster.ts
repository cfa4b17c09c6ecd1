import { freePort, NatsServer } from "./nats-server.js";

/** Name of the JetStream domain of a {@link NatsCluster}, by which its leaf passes on the interface of JetStream. */
export const DOMAIN = "hub";

/** Three servers that keep the registry together, and a leaf that is connected to the first of them. */
export class NatsCluster {
  readonly nodes: readonly NatsServer[];
  readonly leaf: NatsServer;

  private constructor(nodes: readonly NatsServer[], leaf: NatsServer) {
    this.nodes = nodes;
    this.leaf = leaf;
  }

  /** Nodes do not advertise one another to clients: a client behind a `CuttablePort` would reconnect past it. */
  static async start(): Promise<NatsCluster> {
    const [leafPort, ...routePorts] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
    const routes = routePorts.map((port) => `nats://127.0.0.1:${port}`).join(", ");
    const nodes = await Promise.all(
      routePorts.map((port, at) =>
        NatsServer.prepare(
          [
            `server_name: n${at + 1}`,
            `jetstream { domain: ${DOMAIN} }`,
            `cluster { name: fleet, no_advertise: true, listen: "127.0.0.1:${port}", routes: [${routes}] }`,
            at === 0 ? `leafnodes { listen: "127.0.0.1:${leafPort}" }` : "",
          ].join("\n"),
        ),
      ),
    );
    await Promise.all(nodes.map((node) => node.run()));
    // Streams are those of the cluster: a leaf without JetStream of its own passes their subjects.
    const leaf = await NatsServer.start(
      `# store_dir: none\nleafnodes { remotes: [{ url: "nats://127.0.0.1:${leafPort}" }] }`,
    );
    return new NatsCluster(nodes, leaf);
  }

  get urls(): string[] {
    return this.nodes.map(({ url }) => url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [this.leaf, ...this.nodes]) await server[Symbol.asyncDispose]();
  }
}
