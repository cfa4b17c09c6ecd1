import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { CuttablePort, freePort, NatsServer } from "./nats-server.js";

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

/**
 * Three servers, the first of which can be cut off from the other two: what passes between it and them is held back, and no connection
 * is closed.
 */
export class PartitionableCluster {
  readonly nodes: readonly NatsServer[];
  readonly #wires: readonly CuttablePort[];

  private constructor(nodes: readonly NatsServer[], wires: readonly CuttablePort[]) {
    this.nodes = nodes;
    this.#wires = wires;
  }

  /** Resolves when the cluster has elected a leader. */
  static async start(): Promise<PartitionableCluster> {
    const ports = (await Promise.all([freePort(), freePort(), freePort()])) as [number, number, number];
    const wires = await Promise.all(ports.map((port) => CuttablePort.open(port)));
    const through = wires.map(({ url }) => url);
    const nodes: NatsServer[] = [];
    for (const [at, port] of ports.entries()) {
      const isFirst = (index: number) => at === 0 || index === 0;
      const routes = ports.flatMap((other, index) =>
        index === at ? [] : [isFirst(index) ? through[index] : `nats://127.0.0.1:${other}`],
      );
      const advertised = (through[at] ?? "").slice("nats://".length);
      const cluster = `name: fleet, no_advertise: true, listen: "127.0.0.1:${port}", advertise: "${advertised}"`;
      // A route that is held back is given up within seconds, and not within minutes.
      const pings = 'ping_interval: "1s"\nping_max: 2';
      nodes.push(
        await NatsServer.prepare(
          `server_name: n${at + 1}\n${pings}\ncluster { ${cluster}, routes: [${routes.join(", ")}] }`,
        ),
      );
    }
    await Promise.all(nodes.map((node) => node.run()));
    await elected(await connect({ servers: nodes.map(({ url }) => url) }));
    return new PartitionableCluster(nodes, wires);
  }

  /** Cuts the first server off. */
  split(): void {
    for (const wire of this.#wires) wire.freeze();
  }

  /** Joins it to the others again. */
  heal(): void {
    for (const wire of this.#wires) wire.thaw();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) await node[Symbol.asyncDispose]();
    for (const wire of this.#wires) await wire[Symbol.asyncDispose]();
  }
}
