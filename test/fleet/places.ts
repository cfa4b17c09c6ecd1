import { DOMAIN, NatsCluster } from "../../packages/fleet/test/support/nats-cluster.js";
import { NatsServer } from "../../packages/fleet/test/support/nats-server.js";

/** Where a machine and the services that reach it are. */
export const PLACES = ["on one server", "on two nodes of a cluster", "on a leaf and a node of its cluster"] as const;

/** Servers that run, and where the two sides reach them. */
export interface Place extends AsyncDisposable {
  readonly machine: { readonly servers: string; readonly port: number; readonly domain?: string };
  readonly service: { readonly servers: string; readonly port: number };
}

/** Starts the servers of a place; the services are never behind the leaf. */
export async function openPlace(place: (typeof PLACES)[number]): Promise<Place> {
  if (place === "on one server") {
    const server = await NatsServer.start();
    return { machine: at(server), service: at(server), [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  }
  const cluster = await NatsCluster.start();
  const [, second, third] = cluster.nodes as [NatsServer, NatsServer, NatsServer];
  const isLeaf = place === "on a leaf and a node of its cluster";
  return {
    machine: isLeaf ? { ...at(cluster.leaf), domain: DOMAIN } : at(second),
    service: at(third),
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}

function at({ url, port }: NatsServer) {
  return { servers: url, port };
}
