import { ConnectionError } from "@daemon-sdk/protocol";
import { type KV, Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/nats-core";
import { FLEET_LIMITS } from "../limits/index.js";
import { isRefusal } from "../nats/index.js";

/** The registry of a fleet in the cluster's key-value store. */
export interface Buckets {
  /** Signs of life: an entry of each machine that serves. The server removes one that is not renewed. */
  readonly machines: KV;
  /** The last entry of every machine that ever joined, so that a lost one is still known. */
  readonly members: KV;
  /** The machine of each session that a service made. Hints: the machine's store is the truth. */
  readonly sessions: KV;
}

/**
 * Opens the registry, and makes what is missing of it. Rejects with CONNECTION_FAILED when the cluster cannot say within its time, as in
 * a minority of it, or without JetStream; with AUTH_REJECTED when the credentials may not use it.
 *
 * @param replicas copies of the registry in the cluster; fixed by the first that opens it
 */
export async function openBuckets(nats: NatsConnection, tenant: string, replicas: number): Promise<Buckets> {
  const kvm = new Kvm(nats);
  const open = (name: string, options: { ttl?: number } = {}) =>
    kvm.create(`f_${tenant}_${name}`, { history: 1, replicas, ...options });
  try {
    const [machines, members, sessions] = await Promise.all([
      open("machines", { ttl: FLEET_LIMITS.leaseMs }),
      open("members"),
      open("sessions"),
    ]);
    return { machines, members, sessions };
  } catch (cause) {
    throw registryFailure("opened", cause);
  }
}

/** The error for a registry that did not answer: AUTH_REJECTED when the credentials may not use it, else CONNECTION_FAILED. */
export function registryFailure(done: string, cause: unknown): ConnectionError {
  const text = cause instanceof Error ? cause.message : String(cause);
  if (isRefusal(cause)) {
    const refused = `NATS refuses the credentials for the registry, which could not be ${done}: ${text}.`;
    return new ConnectionError("AUTH_REJECTED", refused, { cause });
  }
  const advice = "Needs nats-server with JetStream and, in a cluster, a majority of its servers";
  return new ConnectionError("CONNECTION_FAILED", `The fleet's registry could not be ${done}: ${text}. ${advice}.`, {
    cause,
  });
}
