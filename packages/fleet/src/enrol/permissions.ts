import type { Permissions } from "@nats-io/jwt";
import type { BucketName, Subjects } from "../names/index.js";

const BUCKETS: readonly BucketName[] = ["machines", "members", "sessions"];
const MACHINE_BUCKETS: readonly BucketName[] = [...BUCKETS, "names"];

const API = "$JS.API.";

/** How long a machine may answer a request, in ns: a dial is answered when the daemon has accepted the link. */
const ANSWER_NS = 60_000_000_000;

/** Whether a machine may write its replica, and a service read all of them. */
interface ReplicaRight {
  readonly replicas?: boolean;
}

/**
 * What a machine may do: answer under its own name, send to services whose tokens it was given, and write its own entries. It may neither
 * dial, nor listen to another name, nor write the entry of another.
 */
export function machinePermissions(
  subjects: Subjects,
  machineId: string,
  { replicas = false }: ReplicaRight = {},
): Permissions {
  const own = { machineId, instance: "*" };
  return {
    sub: {
      allow: [
        `${subjects.machine(own)}.>`,
        subjects.find,
        `${subjects.machineInbox(machineId)}.>`,
        subjects.post(machineId, "*", "*"),
        subjects.posts("*"),
      ],
    },
    pub: {
      allow: [
        `${subjects.client({ client: "*", instance: "*" })}.l.*`,
        subjects.alive(own),
        ...registryApi(subjects, MACHINE_BUCKETS),
        ...entriesOf(subjects, "machines", machineId),
        ...entriesOf(subjects, "members", machineId),
        ...entriesOf(subjects, "names", `${machineId}.*`),
        ...followed(subjects, "names"),
        ...mailOf(subjects, machineId),
        ...(replicas ? replicaOf(subjects, machineId) : []),
      ],
    },
    resp: { max: 1, ttl: ANSWER_NS },
  };
}

/**
 * What a service may do: dial every machine under its own name, send on links whose tokens it made, follow the registry, and write hints
 * of sessions; where it is said so, read the replicas of all machines. It may neither serve as a machine, nor dial under another name, nor listen to another's links.
 */
export function servicePermissions(
  subjects: Subjects,
  client: string,
  { replicas = false }: ReplicaRight = {},
): Permissions {
  const anyMachine = { machineId: "*", instance: "*" };
  return {
    sub: { allow: [`${subjects.client({ client, instance: "*" })}.>`, `${subjects.clientInbox(client)}.>`] },
    pub: {
      allow: [
        subjects.dial(anyMachine, client),
        `${subjects.machine(anyMachine)}.l.*`,
        subjects.find,
        ...registryApi(subjects),
        ...followed(subjects, "machines"),
        ...followed(subjects, "members"),
        ...entriesOf(subjects, "sessions", ">"),
        ...(replicas ? replicasOfAll(subjects) : []),
      ],
    },
  };
}

/** The same, with the interface of JetStream also by the name of its domain: a leaf passes on no other. */
export function withDomain(permissions: Permissions, domain: string | undefined): Permissions {
  const allow = permissions.pub?.allow ?? [];
  if (domain === undefined) return permissions;
  const api = `$JS.${domain}.API.`;
  const named = allow.flatMap((subject) => {
    if (subject.startsWith(API)) return [api + subject.slice(API.length)];
    return subject.startsWith("$KV.") ? [api + subject] : [];
  });
  return { ...permissions, pub: { ...permissions.pub, allow: [...allow, ...named] } };
}

/** To see whether the registry is there, and to make it. What exists is not changed by that. */
function registryApi(subjects: Subjects, buckets = BUCKETS): string[] {
  const calls = buckets.flatMap((name) => {
    const stream = streamOf(subjects, name);
    return [`$JS.API.STREAM.INFO.${stream}`, `$JS.API.STREAM.CREATE.${stream}`];
  });
  return ["$JS.API.INFO", ...calls];
}

/** To read and write entries. */
function entriesOf(subjects: Subjects, name: BucketName, key: string): string[] {
  const subject = `$KV.${subjects.bucket(name)}.${key}`;
  return [subject, `$JS.API.DIRECT.GET.${streamOf(subjects, name)}.${subject}`];
}

/** To follow a bucket, by an ephemeral consumer with flow control. */
function followed(subjects: Subjects, name: BucketName): string[] {
  const stream = streamOf(subjects, name);
  return [`$JS.API.CONSUMER.*.${stream}`, `$JS.API.CONSUMER.*.${stream}.>`, `$JS.FC.${stream}.>`];
}

/** To send mail under the machine's own name, and to read and remove its own. */
function mailOf(subjects: Subjects, machineId: string): string[] {
  const stream = subjects.mailStream(machineId);
  return [
    ...[subjects.mail("*", machineId), subjects.post("*", "*", machineId), subjects.posts(machineId)],
    ...["INFO", "CREATE", "PURGE"].map((call) => `$JS.API.STREAM.${call}.${stream}`),
    ...[`$JS.API.CONSUMER.*.${stream}`, `$JS.API.CONSUMER.*.${stream}.>`, `$JS.API.CONSUMER.MSG.NEXT.${stream}.*`],
  ];
}

/**
 * To write the machine's own replica, to see where it stands, and to remove what was deleted. Every call for that stream: it has nothing of
 * others. In few lines, because the server takes credentials of 4 KiB at most.
 */
function replicaOf(subjects: Subjects, machineId: string): string[] {
  const stream = subjects.replicaStream(machineId);
  return [
    ...[subjects.replica(machineId), `$JS.API.STREAM.*.${stream}`],
    ...[`$JS.API.CONSUMER.*.${stream}.>`, `$JS.FC.${stream}.>`],
  ];
}

/**
 * To read the replicas of all machines, and nothing else of any stream: the subject that a consumer is made by ends with the subject that it
 * reads, and the server compares the two.
 */
function replicasOfAll(subjects: Subjects): string[] {
  return [`$JS.API.CONSUMER.CREATE.*.*.${subjects.replica("*", "*", "*")}`, "$JS.FC.>"];
}

function streamOf(subjects: Subjects, name: BucketName): string {
  return `KV_${subjects.bucket(name)}`;
}
