import type { Permissions } from "@nats-io/jwt";
import type { BucketName, Subjects } from "../names/index.js";

const BUCKETS: readonly BucketName[] = ["machines", "members", "sessions"];

/** How long a machine may answer a request, in ns: a dial is answered when the daemon has accepted the link. */
const ANSWER_NS = 60_000_000_000;

/**
 * What a machine may do: answer under its own name, send to services whose tokens it was given, and write its own entries. It may neither
 * dial, nor listen to another name, nor write the entry of another.
 */
export function machinePermissions(subjects: Subjects, machineId: string): Permissions {
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
        ...registryApi(subjects),
        ...entriesOf(subjects, "machines", machineId),
        ...entriesOf(subjects, "members", machineId),
        ...mailOf(subjects, machineId),
      ],
    },
    resp: { max: 1, ttl: ANSWER_NS },
  };
}

/**
 * What a service may do: dial every machine under its own name, send on links whose tokens it made, follow the registry, and write hints
 * of sessions. It may neither serve as a machine, nor dial under another name, nor listen to another's links.
 */
export function servicePermissions(subjects: Subjects, client: string): Permissions {
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
      ],
    },
  };
}

/** To send mail under its own name, to take what came for it, and to state where its names are. */
function mailOf(subjects: Subjects, machineId: string): string[] {
  const mail = `f_${subjects.tenant}_mail`;
  const names = `KV_f_${subjects.tenant}_names`;
  const calls = [mail, names].flatMap((stream) => [
    ...[`$JS.API.STREAM.INFO.${stream}`, `$JS.API.STREAM.CREATE.${stream}`],
    ...[`$JS.API.CONSUMER.*.${stream}`, `$JS.API.CONSUMER.*.${stream}.>`, `$JS.API.CONSUMER.MSG.NEXT.${stream}.>`],
    ...[`$JS.FC.${stream}.>`, `$JS.ACK.${stream}.>`],
  ]);
  return [
    ...calls,
    `$JS.API.STREAM.PURGE.${mail}`,
    `$KV.f_${subjects.tenant}_names.${machineId}.>`,
    subjects.mail("*", machineId),
    subjects.post("*", "*", machineId),
    subjects.posts(machineId),
  ];
}

/** To see whether the registry is there, and to make it. What exists is not changed by that. */
function registryApi(subjects: Subjects): string[] {
  const calls = BUCKETS.flatMap((name) => {
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

function streamOf(subjects: Subjects, name: BucketName): string {
  return `KV_${subjects.bucket(name)}`;
}
