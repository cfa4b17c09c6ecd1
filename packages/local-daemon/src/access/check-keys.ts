import { InvalidOptionError } from "@daemon-sdk/protocol";
import { SERVING_LIMITS } from "../limits/index.js";
import { type ConfiguredKey, type KeyQuotas, LEVELS } from "./key-policy.js";

const FIELDS: readonly string[] = [
  "key",
  "name",
  "cwd",
  "agents",
  "autonomy",
  "approves",
  "metrics",
  "quotas",
] satisfies (keyof ConfiguredKey)[];

const QUOTAS: readonly string[] = [
  "openSessions",
  "storedSessions",
  "storedBytes",
  "liveAgents",
  "queuedBytes",
  "tickets",
] satisfies (keyof KeyQuotas)[];

/**
 * Checks the keys of a configuration. Throws an `InvalidOptionError` that names the place, and never repeats a key. What is
 * misspelt is refused, because a rule that is not applied must not pass in silence; so is a rule that nothing can meet.
 */
export function checkKeys(keys: readonly (string | ConfiguredKey)[]): void {
  const secrets = keys.map((one) => (typeof one === "string" ? one : one.key));
  const { apiKeyChars } = SERVING_LIMITS;
  if (secrets.some((secret) => typeof secret !== "string" || secret.length < apiKeyChars)) {
    throw new InvalidOptionError("apiKeys", `keys of at least ${apiKeyChars} characters`);
  }
  if (new Set(secrets).size < secrets.length) throw new InvalidOptionError("apiKeys", "each key once");
  keys.forEach((one, index) => {
    if (typeof one !== "string") checkPolicy(one, `apiKeys.${index}`);
  });
}

function checkPolicy(policy: ConfiguredKey, place: string): void {
  const { cwd, agents, autonomy, quotas = {} } = policy;
  for (const field of Object.keys(policy)) {
    if (!FIELDS.includes(field)) throw new InvalidOptionError(`${place}.${field}`, `one of ${FIELDS.join(", ")}`);
  }
  for (const [field, list] of Object.entries({ cwd, agents })) {
    if (list !== undefined && list.length === 0) {
      throw new InvalidOptionError(`${place}.${field}`, "at least one, or no such list");
    }
  }
  if (autonomy !== undefined && !LEVELS.includes(autonomy)) {
    throw new InvalidOptionError(`${place}.autonomy`, `one of ${LEVELS.join(", ")}`, autonomy);
  }
  for (const [name, most] of Object.entries(quotas)) {
    if (!QUOTAS.includes(name)) throw new InvalidOptionError(`${place}.quotas.${name}`, `one of ${QUOTAS.join(", ")}`);
    if (most !== undefined && !(typeof most === "number" && most >= 1)) {
      throw new InvalidOptionError(`${place}.quotas.${name}`, "a number from 1 on", most);
    }
  }
}
