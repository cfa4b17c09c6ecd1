import type { AutonomyLevel } from "@daemon-sdk/protocol";
import { keyIdOf } from "./key-id.js";

/** Bounds of what one key uses at a time. Each replaces the bound that a configuration has for every key. */
export interface KeyQuotas {
  /** Open sessions; default `limits.openSessionsPerKey`. */
  readonly openSessions?: number | undefined;
  /** Stored sessions, open or not; default `limits.storedSessionsPerKey`. The oldest archived one makes room for a new one. */
  readonly storedSessions?: number | undefined;
  /** Bytes that its sessions have stored; default `limits.storedBytesPerKey`. */
  readonly storedBytes?: number | undefined;
  /** Agents that start or run; default `limits.liveAgentsPerKey`. */
  readonly liveAgents?: number | undefined;
  /** Bytes of prompts that wait in queues; default `limits.queuedBytesPerPrincipal`. */
  readonly queuedBytes?: number | undefined;
  /** Unused tickets; default 100. */
  readonly tickets?: number | undefined;
}

/**
 * What the sessions of a key may do (docs/security.md, "What a key can do"). It holds for each of them whoever calls, also the
 * person, and at each start of an agent anew. What is absent is not restricted.
 */
export interface KeyPolicy {
  /** Names the key in the log and in refusals; it is no secret. Default: the beginning of the key's id. */
  readonly name?: string | undefined;
  /** Directories below which the key's sessions work; links are followed before they are compared. */
  readonly cwd?: readonly string[] | undefined;
  /** Agents of the key's sessions, by name. A session that names none gets the daemon's default, or the first of these. */
  readonly agents?: readonly string[] | undefined;
  /** Highest autonomy. A session that names none gets `off`. Below `high`, see {@link isConfined}. */
  readonly autonomy?: AutonomyLevel | undefined;
  /**
   * Whether clients of the key may approve what its agents ask for; the person always may. Default: only without `autonomy`, or
   * with `high`, because a client that approves everything has every autonomy.
   */
  readonly approves?: boolean | undefined;
  /**
   * Whether clients of the key may read the daemon's metrics, which count what all keys do. Default: only without `autonomy`,
   * or with `high`, because such a key can do what the person can.
   */
  readonly metrics?: boolean | undefined;
  readonly quotas?: KeyQuotas | undefined;
}

/** A key of the configuration, with its policy. */
export interface ConfiguredKey extends KeyPolicy {
  /** The secret, of 16 characters or more. */
  readonly key: string;
}

/** A bound: its name in the configuration, and its value. */
export interface Bound {
  readonly name: string;
  readonly most: number;
}

const UNRESTRICTED: KeyPolicy = {};

/** Levels of autonomy, the lowest first. */
export const LEVELS = ["off", "low", "medium", "high"] as const satisfies readonly AutonomyLevel[];

/** The policies of the configured keys. The person, and a key that is no longer configured, have none. */
export class KeyPolicies {
  #policies: ReadonlyMap<string, KeyPolicy> = new Map();

  constructor(keys: readonly (string | ConfiguredKey)[] = []) {
    this.replace(keys);
  }

  /** Takes the policies of other keys from now on. Agents that run keep what they were started with. */
  replace(keys: readonly (string | ConfiguredKey)[]): void {
    const named = keys.filter((key) => typeof key !== "string");
    this.#policies = new Map(named.map(({ key, ...policy }) => [keyIdOf(key), policy]));
  }

  /** The policy of a principal, or of the sessions that it owns. */
  of(keyId: string | undefined): KeyPolicy {
    return (keyId === undefined ? undefined : this.#policies.get(keyId)) ?? UNRESTRICTED;
  }

  /** What the log calls a principal. */
  nameOf(keyId: string | undefined): string {
    return keyId === undefined ? "person" : (this.of(keyId).name ?? `key ${keyId.slice(0, 8)}`);
  }

  /** A quota of a key; without one, `general`. */
  quota(keyId: string | undefined, quota: keyof KeyQuotas, general: Bound): Bound {
    const most = this.of(keyId).quotas?.[quota];
    return most === undefined ? general : { name: `quotas.${quota}`, most };
  }
}

/**
 * Whether a policy restricts what agents do without a person's approval. Sessions of such a key get nothing that could change
 * that: no MCP servers, which are commands, and no params that the daemon does not know (`skipPermissionsUnsafe` and the like).
 */
export function isConfined({ autonomy }: KeyPolicy): boolean {
  return autonomy !== undefined && autonomy !== "high";
}

/** Whether clients of a key may approve what its agents ask for. */
export function approves(policy: KeyPolicy): boolean {
  return policy.approves ?? !isConfined(policy);
}

/** Whether clients of a key may read the daemon's metrics. */
export function readsMetrics(policy: KeyPolicy): boolean {
  return policy.metrics ?? !isConfined(policy);
}

/** Whether a policy allows that autonomy. A level that the daemon does not know counts as the highest. */
export function allowsAutonomy({ autonomy }: KeyPolicy, level: string): boolean {
  if (autonomy === undefined) return true;
  const rank = (LEVELS as readonly string[]).indexOf(level);
  return rank !== -1 ? rank <= LEVELS.indexOf(autonomy) : autonomy === "high";
}
