import * as z from "zod/mini";
import { DAEMON_LIMITS, type DaemonLimits, LEAST_LIMITS, SERVING_LIMITS } from "../limits/index.js";
import { LEAST_RETENTION } from "../retention/index.js";
import { FLEET_NAME, FLEET_NAME_TEXT } from "./fleet-name.js";

const DRIVERS = ["stream-jsonrpc", "relay", "acp"] as const;
const LEVELS = ["off", "low", "medium", "high"] as const;

const name = z.string("a text that is not empty").check(z.minLength(1, "a text that is not empty"));
const flag = z.boolean("true or false");
const names = z.array(name, "a list of texts");
const someNames = z.array(name, "a list of texts").check(z.minLength(1, "a list with at least one text"));
const directory = z
  .string("an absolute path of a directory")
  .check(z.regex(/^(?:\/|~\/)/, "an absolute path of a directory, or one that begins with ~/"));

/** A whole number within bounds; the type and both bounds have one text. */
function whole(from: number, to: number) {
  const expected = `a whole number from ${from} to ${to}`;
  return z.int(expected).check(z.gte(from, expected), z.lte(to, expected));
}

/** A number of a bound. */
function atLeast(least: number) {
  const expected = `a number from ${least} on`;
  return z.number(expected).check(z.gte(least, expected));
}

function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, `one of ${values.map((value) => `"${value}"`).join(", ")}`);
}

/** An optional key, with what it means for the published JSON Schema. */
function optional<Schema extends z.ZodMiniType>(schema: Schema, description: string) {
  return z.exactOptional(schema.check(z.describe(description)));
}

const milliseconds = whole(1, SERVING_LIMITS.timerMs);
const secretText = `a key of at least ${SERVING_LIMITS.apiKeyChars} characters`;
const secret = z.string(secretText).check(z.minLength(SERVING_LIMITS.apiKeyChars, secretText));
const commandText = 'a list with a program and its arguments, such as ["node", "agent.mjs"]';

const agentSchema = z.strictObject({
  command: z
    .tuple([z.string(commandText).check(z.minLength(1, commandText))], z.string(commandText), commandText)
    .check(z.describe("Program and arguments; never a shell line.")),
  driver: optional(oneOf(DRIVERS), "How the agent is spoken to. Default: stream-jsonrpc."),
  env: optional(z.record(name, z.string("a text")), "Variables of the agent's environment, by name."),
  inheritEnv: optional(names, "Names of variables that the agent gets from the daemon's environment."),
  allowEnv: optional(names, "Names of variables that a client may set for its session. Default: none."),
  cwd: optional(directory, "Directory in which the program is started. Default: the session's."),
  mode: optional(name, "Driver acp: the mode to set before the first prompt."),
  model: optional(name, "Driver acp: the model of sessions that name none."),
  protocolVersion: optional(
    z.literal([1, 2], "1 or 2"),
    "Driver acp: the version of the protocol to ask for. Default: 1. Version 2 is a draft.",
  ),
  fs: optional(flag, "Driver acp: whether the agent may use files through the daemon, in the session's directory."),
  terminal: optional(
    flag,
    "Driver acp: whether the agent may have commands run by the daemon, which end with their turn.",
  ),
  startTimeoutMs: optional(milliseconds, "How long the agent may take to open a conversation, in ms. Default: 30000."),
  maxLive: optional(whole(1, 1_000_000), "Most processes of this agent that start or run. Default: limits.liveAgents."),
});

const quotasSchema = z.strictObject({
  openSessions: optional(atLeast(1), "Open sessions. Default: limits.openSessionsPerKey."),
  storedSessions: optional(atLeast(1), "Stored sessions, open or not. Default: limits.storedSessionsPerKey."),
  storedBytes: optional(atLeast(1), "Bytes that its sessions have stored. Default: limits.storedBytesPerKey."),
  liveAgents: optional(atLeast(1), "Agents that start or run. Default: limits.liveAgentsPerKey."),
  queuedBytes: optional(atLeast(1), "Bytes of prompts that wait. Default: limits.queuedBytesPerPrincipal."),
  tickets: optional(atLeast(1), "Unused tickets. Default: 100."),
});

const keySchema = z.strictObject({
  key: secret,
  name: optional(
    z
      .string("a text")
      .check(z.minLength(1, "a text that is not empty"), z.maxLength(64, "a text of at most 64 characters")),
    "Names the key in the log and in refusals.",
  ),
  cwd: optional(someNames, "Directories below which its sessions work."),
  agents: optional(someNames, "Agents of its sessions, by name."),
  autonomy: optional(oneOf(LEVELS), "Highest autonomy of its sessions."),
  approves: optional(flag, "Whether its clients may approve what agents ask for."),
  metrics: optional(flag, "Whether its clients may read the daemon's metrics."),
  quotas: optional(quotasSchema, "Bounds of this key, in place of the general ones."),
});

const retentionSchema = z.strictObject({
  days: optional(atLeast(LEAST_RETENTION.days), "A session is deleted so many days after its last message."),
  archivedDays: optional(
    atLeast(LEAST_RETENTION.archivedDays),
    "An archived session is deleted so many days after it was archived.",
  ),
  bytes: optional(
    atLeast(LEAST_RETENTION.bytes),
    "Bytes that the store may hold; archived sessions go first, then the longest unused.",
  ),
});

const fileText = "an absolute path of a file";
const certificateFile = z.string(fileText).check(z.regex(/^\//, fileText));

const tlsSchema = z.strictObject({
  certFile: certificateFile.check(
    z.describe("The certificate in PEM, and behind it those that lead to a known authority."),
  ),
  keyFile: certificateFile.check(z.describe("Its private key in PEM.")),
});

const fleetName = z.string(FLEET_NAME_TEXT).check(z.regex(FLEET_NAME, FLEET_NAME_TEXT));

const replicaText = "true, false or an object with bounds";
const replicaSchema = z.union(
  [
    z.boolean(replicaText),
    z.strictObject({
      maxBytes: optional(
        whole(1_048_576, Number.MAX_SAFE_INTEGER),
        "Bytes of the replica on the servers; what is oldest makes room. Default: 1073741824.",
      ),
      maxAgeDays: optional(whole(1, 3_650), "Age in days at which the servers remove what is in it. Default: 30."),
    }),
  ],
  replicaText,
);

const fleetSchema = z.strictObject({
  servers: someNames.check(z.describe("Addresses of NATS servers, such as nats://nats.example.com:4222.")),
  machineId: optional(fleetName, "Name of this machine, unique in the fleet. Default: the host's name."),
  tenant: optional(fleetName, "The tenant. Default: default."),
  domain: optional(fleetName, "Domain of the cluster's JetStream, for a machine behind a leaf. Default: none."),
  credentialsFile: optional(z.string(fileText).check(z.regex(/^\//, fileText)), "Credentials for NATS (.creds)."),
  labels: optional(z.record(name, z.string("a text")), "What sessions may ask for, by name."),
  capacity: optional(whole(1, 1_000_000), "Sessions at work that count as full. Default: 8."),
  replica: optional(
    replicaSchema,
    "Whether the sessions of this machine, with their conversations, are replicated to the servers of the fleet. Default: false.",
  ),
  services: optional(
    z.record(name, name),
    "Which services are served: the name of each, and the name of the key in apiKeys that it acts for. Default: all, for the person.",
  ),
  console: optional(
    z.strictObject({
      credentialsFile: z
        .string(fileText)
        .check(z.regex(/^\//, fileText), z.describe("Credentials of a service for NATS (.creds).")),
    }),
    "With what the console of this daemon reaches the other machines. Default: it shows this machine only, or all where no credentials are needed.",
  ),
});

const limitNames = Object.keys(DAEMON_LIMITS) as (keyof DaemonLimits)[];
const limitsSchema = z.strictObject(
  Object.fromEntries(
    limitNames.map((limit) => [limit, optional(atLeast(LEAST_LIMITS[limit] ?? 0), `Default: ${defaultOf(limit)}.`)]),
  ) as Record<keyof DaemonLimits, z.ZodMiniExactOptional<z.ZodMiniNumber>>,
);

/** Some defaults follow the machine. The published schema must not depend on where it was made. */
function defaultOf(limit: keyof DaemonLimits): string {
  return ["agentStarts", "liveAgents", "liveAgentsPerKey"].includes(limit)
    ? "by the machine"
    : String(DAEMON_LIMITS[limit]);
}

/** Schema of `config.json`. */
export const configSchema = z.strictObject({
  $schema: optional(z.string("a text"), "Address of this schema, for editors."),
  port: optional(whole(0, 65_535), "Also listen on 127.0.0.1 at this port; 0 picks one."),
  agents: optional(z.record(name, agentSchema), "Agents by name."),
  agentPresets: optional(flag, "Whether known agents are offered where their program is on PATH. Default: true."),
  loginShell: optional(flag, "Whether agents get PATH and proxies of the user's login shell. Default: true."),
  defaultAgent: optional(name, "Agent of sessions that name none. Default: workspace-agent."),
  apiKeys: optional(
    z.array(z.union([secret, keySchema]), "a list of keys"),
    "Keys of clients, with or without a policy.",
  ),
  allowedOrigins: optional(
    z.array(z.string("a text"), "a list of texts"),
    "Web pages that may connect, as exact origins.",
  ),
  allowedHosts: optional(z.array(z.string("a text"), "a list of texts"), "Further values of Host on TCP."),
  tls: optional(
    tlsSchema,
    "Certificate with which the port serves TLS, too. allowedHosts are then served over TLS only.",
  ),
  requestTimeoutMs: optional(milliseconds, "How long a request to the user may wait, in ms."),
  spawnManager: optional(flag, "Whether agents on the relay may have others spawned. Default: false."),
  limits: optional(limitsSchema, "Bounds, by name."),
  retention: optional(retentionSchema, "Which unused sessions are deleted. Default: none."),
  relayAccess: optional(oneOf(["owned", "open"]), "To whom names on the relay belong. Default: owned."),
  fleet: optional(fleetSchema, "The fleet that the daemon joins; needs the package @daemon-sdk/fleet. Default: none."),
  logLevel: optional(oneOf(["debug", "info", "warn", "error"]), "Lowest level that is logged. Default: info."),
});

/** Content of `config.json` in the state directory. Every key is optional (README, "Configuration"). */
export type ConfigFile = z.infer<typeof configSchema>;
