import type { ResolvedConfig } from "./config.js";
import { type DaemonLimits, LIVE_LIMITS } from "./limits/index.js";

/** What differs between a running daemon and its configuration, by dotted key, such as `limits.liveAgents`. */
export interface ConfigChanges {
  /** Keys that a reload applies. */
  readonly live: readonly string[];
  /** Keys that only a start applies. */
  readonly atNextStart: readonly string[];
}

/** Keys that a running daemon takes over. */
const LIVE = [
  "agentPresets",
  "defaultAgent",
  "apiKeys",
  "retention",
] as const satisfies readonly (keyof ResolvedConfig)[];

/** Keys of which parts hold something open: sockets, timers, the relay. */
const AT_START = [
  ...["port", "allowedOrigins", "allowedHosts"],
  ...["requestTimeoutMs", "spawnManager", "relayAccess", "loginShell"],
] as (keyof ResolvedConfig)[];

/** Compares the configuration that a daemon runs with and another one. What is no data (a store, a logger) is not compared. */
export function changesOf(running: ResolvedConfig, next: ResolvedConfig): ConfigChanges {
  const limits = Object.keys(running.limits) as (keyof DaemonLimits)[];
  const changedLimits = limits.filter((name) => running.limits[name] !== next.limits[name]);
  const named = (isLive: boolean) =>
    changedLimits.filter((name) => LIVE_LIMITS.has(name) === isLive).map((name) => `limits.${name}`);
  return {
    live: [...changedAgents(running, next), ...differing(LIVE, running, next), ...named(true)],
    atNextStart: [...differing(AT_START, running, next), ...named(false)],
  };
}

/** The running configuration with what a reload applies of the next one. Its `limits` stay the same object. */
export function withLiveKeys(running: ResolvedConfig, next: ResolvedConfig): ResolvedConfig {
  const { agents, agentPresets, defaultAgent, apiKeys, retention, tls } = next;
  const live = Object.entries(next.limits).filter(([name]) => LIVE_LIMITS.has(name as keyof DaemonLimits));
  // Every part reads its limits in this object.
  Object.assign(running.limits, Object.fromEntries(live));
  return { ...running, agents, agentPresets, defaultAgent, apiKeys, retention, tls };
}

function changedAgents({ agents }: ResolvedConfig, next: ResolvedConfig): string[] {
  const names = new Set([...Object.keys(agents), ...Object.keys(next.agents)]);
  return [...names].filter((name) => !isSame(agents[name], next.agents[name])).map((name) => `agents.${name}`);
}

function differing(keys: readonly (keyof ResolvedConfig)[], one: ResolvedConfig, other: ResolvedConfig): string[] {
  return keys.filter((key) => !isSame(one[key], other[key]));
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
