import * as z from "zod/mini";

const agentSchema = z.strictObject({
  command: z.tuple([z.string().check(z.minLength(1))], z.string()),
  driver: z._default(z.enum(["stream-jsonrpc", "relay", "acp"]), "stream-jsonrpc"),
  env: z.exactOptional(z.record(z.string(), z.string())),
  inheritEnv: z.exactOptional(z.array(z.string())),
  mode: z.exactOptional(z.string().check(z.minLength(1))),
  model: z.exactOptional(z.string().check(z.minLength(1))),
  startTimeoutMs: z.exactOptional(z.int().check(z.gte(1), z.lte(2 ** 31 - 1))),
});

const atLeastOne = z.number().check(z.gte(1));
const names = z.array(z.string().check(z.minLength(1))).check(z.minLength(1));
const secret = z.string().check(z.minLength(16));

const keySchema = z.strictObject({
  key: secret,
  name: z.exactOptional(z.string().check(z.minLength(1), z.maxLength(64))),
  cwd: z.exactOptional(names),
  agents: z.exactOptional(names),
  autonomy: z.exactOptional(z.enum(["off", "low", "medium", "high"])),
  approves: z.exactOptional(z.boolean()),
  quotas: z.exactOptional(
    z.strictObject({
      openSessions: z.exactOptional(atLeastOne),
      liveAgents: z.exactOptional(atLeastOne),
      queuedBytes: z.exactOptional(atLeastOne),
      tickets: z.exactOptional(atLeastOne),
    }),
  ),
});

/** Schema of `config.json`. */
export const configSchema = z.strictObject({
  port: z.exactOptional(z.int().check(z.gte(0), z.lte(65_535))),
  agents: z.exactOptional(z.record(z.string().check(z.minLength(1)), agentSchema)),
  agentPresets: z.exactOptional(z.boolean()),
  defaultAgent: z.exactOptional(z.string()),
  apiKeys: z.exactOptional(z.array(z.union([secret, keySchema]))),
  allowedOrigins: z.exactOptional(z.array(z.string())),
  allowedHosts: z.exactOptional(z.array(z.string())),
  requestTimeoutMs: z.exactOptional(z.int().check(z.gte(1), z.lte(2 ** 31 - 1))),
  spawnManager: z.exactOptional(z.boolean()),
  limits: z.exactOptional(z.record(z.string(), z.number().check(z.gte(0)))),
  relayAccess: z.exactOptional(z.enum(["owned", "open"])),
  logLevel: z.exactOptional(z.enum(["debug", "info", "warn", "error"])),
});

/** Content of `config.json` in the state directory. Every key is optional (README, "Configuration"). */
export type ConfigFile = z.infer<typeof configSchema>;
