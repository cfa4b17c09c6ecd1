import { ConnectionError } from "@daemon-sdk/protocol";
import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  jetstream,
  jetstreamManager,
  type StreamAPI,
} from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import { type NatsConnection, nanos } from "@nats-io/nats-core";
import { FLEET_LIMITS } from "../limits/index.js";
import type { BucketName, Subjects } from "../names/index.js";
import { isRefusal } from "../nats-base/index.js";

type NewStream = Parameters<StreamAPI["add"]>[0];

/** The server's code for a stream that exists with another configuration. */
const STREAM_NAME_IN_USE = 10_058;

/** The registry of a fleet in the cluster's key-value store. */
export interface Buckets {
  /** Signs of life: an entry of each machine that serves. The server removes one that is not renewed. */
  readonly machines: KV;
  /** The last entry of every machine that ever joined, so that a lost one is still known. */
  readonly members: KV;
  /** The machine of each session that a service made. Hints: the machine's store is the truth. The server removes one that was not used for long. */
  readonly sessions: KV;
}

/** Where the streams of a fleet are, and how many copies of each there are. */
export interface StreamPlace {
  /** Copies in the cluster; fixed by the first that opens a stream. */
  readonly replicas: number;
  /** Domain of the cluster's JetStream, behind a leaf. */
  readonly domain: string | undefined;
}

/** What the client of JetStream needs for streams of that place. */
export function jetStreamOptions({ domain }: StreamPlace): { domain?: string } {
  return domain === undefined ? {} : { domain };
}

/**
 * Opens the registry, and makes what is missing of it. Rejects with CONNECTION_FAILED when the cluster cannot say within its time, as in
 * a minority of it, or without JetStream; with AUTH_REJECTED when the credentials may not use it.
 */
export async function openBuckets(nats: NatsConnection, subjects: Subjects, place: StreamPlace): Promise<Buckets> {
  try {
    const open = await bucketOpener(nats, subjects, place);
    const [machines, members, sessions] = await Promise.all([
      open("machines", FLEET_LIMITS.leaseMs),
      open("members"),
      open("sessions", FLEET_LIMITS.sessionsAgeMs),
    ]);
    return { machines, members, sessions };
  } catch (cause) {
    throw registryFailure("opened", cause);
  }
}

/**
 * Opens the bucket of the relay's names, which machines use only: as {@link openBuckets}. Its entries end by their age. A name that is
 * gone leaves a marker, which its machine may not remove: whoever may purge one entry may purge all.
 */
export async function openNames(
  nats: NatsConnection,
  subjects: Subjects,
  place: StreamPlace,
  ageMs: number = FLEET_LIMITS.namesAgeMs,
): Promise<KV> {
  try {
    return await (await bucketOpener(nats, subjects, place))("names", ageMs);
  } catch (cause) {
    throw registryFailure("opened", cause);
  }
}

async function bucketOpener(nats: NatsConnection, subjects: Subjects, place: StreamPlace) {
  const options = jetStreamOptions(place);
  const { streams } = await jetstreamManager(nats, options);
  const kvm = new Kvm(jetstream(nats, options));
  return async (name: BucketName, maxAgeMs = 0) => {
    const bucket = subjects.bucket(name);
    await makeBucket(streams, bucket, { replicas: place.replicas, maxAgeMs });
    return kvm.open(bucket, { bindOnly: true, allow_direct: true });
  };
}

/**
 * Makes the stream of a bucket where it is missing. Not by `Kvm.create`, whose streams obey a header by which whoever may write one entry
 * removes all of them.
 */
async function makeBucket(
  streams: StreamAPI,
  bucket: string,
  { replicas, maxAgeMs }: { readonly replicas: number; readonly maxAgeMs: number },
): Promise<void> {
  const name = `KV_${bucket}`;
  await makeStream(streams, {
    ...{ name, subjects: [`$KV.${bucket}.>`], max_msgs_per_subject: 1, max_age: nanos(maxAgeMs) },
    ...{ max_msg_size: FLEET_LIMITS.entryBytes, num_replicas: replicas, discard: DiscardPolicy.New },
    ...{ allow_direct: true, allow_rollup_hdrs: false, deny_delete: true, deny_purge: true },
  });
}

/** Makes a stream where it is missing. What exists is not changed. */
export async function makeStream(streams: StreamAPI, config: NewStream): Promise<void> {
  try {
    await streams.info(config.name);
  } catch (error) {
    if (!isApiError(error, JetStreamApiCodes.StreamNotFound)) throw error;
    await streams.add(config).catch((failure: unknown) => {
      // Another program made it meanwhile, for other `replicas`.
      if (!isApiError(failure, STREAM_NAME_IN_USE)) throw failure;
    });
  }
}

function isApiError(error: unknown, code: number): boolean {
  return error instanceof JetStreamApiError && error.code === code;
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
