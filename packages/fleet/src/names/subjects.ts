import { InvalidOptionError } from "@daemon-sdk/protocol";

const TOKEN = /^[A-Za-z0-9_-]{1,64}$/;
const RANDOM_BYTES = 16;

/**
 * Checks a name that becomes one token of a subject. A dot or a wildcard in it would reach subjects of others, and NATS clients send
 * it unchecked. Throws an `InvalidOptionError`.
 */
export function checkName(option: string, name: unknown): string {
  if (typeof name === "string" && TOKEN.test(name)) return name;
  throw new InvalidOptionError(option, "a name of 1 to 64 letters, digits, `_` and `-`", name);
}

/** Whether a token of a subject is one that this package makes. */
export function isName(token: unknown): token is string {
  return typeof token === "string" && TOKEN.test(token);
}

/** A token of 128 random bits, which nobody guesses. */
export function randomToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** One start of a machine's daemon. */
export interface MachineInstance {
  readonly machineId: string;
  /** Random, for each time the machine joins. */
  readonly instance: string;
}

/** One program of a service, of which several may run at the same time. */
export interface ServiceInstance {
  readonly client: string;
  /** Random, for each program: programs of one name do not get messages for links of each other. */
  readonly instance: string;
}

/** What a message of a replica holds: the session's row, its conversation at the beginning of the replica, entries of its journal. */
export type ReplicaPart = "row" | "base" | "log";

const PLAIN_ID = /^[A-Za-z0-9_-]{1,128}$/;

/** The id of a session as one token of a subject. Ids are whatever their makers chose. */
export function sessionToken(sessionId: string): string {
  if (PLAIN_ID.test(sessionId)) return sessionId;
  const hex = Array.from(new TextEncoder().encode(sessionId), (byte) => byte.toString(16).padStart(2, "0"));
  return `=${hex.join("")}`;
}

/** Buckets of a tenant in the cluster's key-value store. */
export type BucketName = "machines" | "members" | "sessions" | "names";

/** The subjects of one tenant. Every name in them is checked by its owner. */
export class Subjects {
  /** Name of the tenant. */
  readonly tenant: string;
  readonly #tenant: string;

  constructor(tenant: string) {
    this.tenant = tenant;
    this.#tenant = `f.${tenant}`;
  }

  /** What one start of a machine subscribes to: dials, and the messages of its links. */
  machine({ machineId, instance }: MachineInstance): string {
    return `${this.#tenant}.m.${machineId}.${instance}`;
  }

  /** What one program of a service subscribes to: the messages of its links. */
  client({ client, instance }: ServiceInstance): string {
    return `${this.#tenant}.c.${client}.${instance}`;
  }

  /** Where a machine gets answers to its requests. Beside the usual `_INBOX`, to which all of an account may listen. */
  machineInbox(machineId: string): string {
    return `${this.#tenant}.r.m.${machineId}`;
  }

  /** Where a service gets answers to its requests. */
  clientInbox(client: string): string {
    return `${this.#tenant}.r.c.${client}`;
  }

  /** Name of a bucket of the tenant. */
  bucket(name: BucketName): string {
    return `f_${this.tenant}_${name}`;
  }

  /** Requests a link. The name of the client is in the subject, because a server's permissions apply to subjects. */
  dial(machine: MachineInstance, client: string): string {
    return `${this.machine(machine)}.dial.${client}`;
  }

  /** Asks one start of a machine whether it lives. */
  alive(machine: MachineInstance): string {
    return `${this.machine(machine)}.alive`;
  }

  /** Asks all machines for the one that has a session. */
  get find(): string {
    return `${this.#tenant}.find`;
  }

  /** Mail for a machine, of one sender or, without it, of all: the subjects of its stream. */
  mail(machineId: string, sender = "*"): string {
    return `${this.#tenant}.mail.${machineId}.${sender}`;
  }

  /** The stream of a machine's mail. No name has the sign in it, so that two tenants never share a stream. */
  mailStream(machineId: string): string {
    return `f_${this.tenant}_mail=${machineId}`;
  }

  /** What machines send one another about mail, and do not keep. `kind` and `sender` may be wildcards. */
  post(machineId: string, kind: string, sender: string): string {
    return `${this.#tenant}.post.${machineId}.${kind}.${sender}`;
  }

  /** What one machine sends to all others. */
  posts(sender: string): string {
    return `${this.#tenant}.posts.${sender}`;
  }

  /**
   * A part of a machine's replica. Without a session: of all of them.
   *
   * @param session the token of a session's id ({@link sessionToken})
   */
  replica(machineId: string, session = "*", part: ReplicaPart | "*" = "*"): string {
    return `${this.#tenant}.replica.${machineId}.${session}.${part}`;
  }

  /** The stream of a machine's replica. No name has the sign in it, so that two tenants never share a stream. */
  replicaStream(machineId: string): string {
    return `f_${this.tenant}_replica=${machineId}`;
  }

  /** Whether a subject belongs to this tenant. */
  owns(subject: string): boolean {
    return subject.startsWith(`${this.#tenant}.`);
  }
}
