import type { Transport } from "@daemon-sdk/protocol";
import type { ContractCase, OfferingHarness } from "../contract.js";
import { PATIENCE_MS, within } from "../expectation.js";
import { ReceivedLog } from "./received-log.js";

/** Two ends of one fresh link. */
export interface TransportPair {
  readonly near: Transport;
  readonly far: Transport;
  /** Breaks the link between the ends, as a dead network does. */
  cut(): void;
}

/** Makes links for the contract, and states their bounds. Small bounds make the contract fast. */
export interface TransportHarness extends OfferingHarness {
  /** The high-water mark of both ends. */
  readonly highWaterBytes: number;
  /** The largest message that both ends accept; at least 256 KiB. */
  readonly maxMessageBytes: number;
  /** How many ms to wait for expected messages; default 5 000. */
  readonly patienceMs?: number;
  /** Makes a new link. The contract terminates both ends. */
  connect(): Promise<TransportPair>;
}

/** One promise of the transport contract. */
export type TransportCase = ContractCase<TransportHarness>;

/** Tools of one case. */
export interface Bench extends TransportPair {
  readonly harness: TransportHarness;
  readonly logs: { readonly near: ReceivedLog; readonly far: ReceivedLog };
  /** The outcome of `promise`, or a failure that names what was awaited. */
  within<T>(promise: Promise<T>, what: string): Promise<T>;
}

/** Options of a case. */
export interface CaseOptions {
  /** Side whose `onMessage` the case itself sets. */
  readonly unset?: "far";
}

/** A case on a fresh link with a log on each end. */
export function contractCase(
  id: string,
  title: string,
  check: (bench: Bench) => Promise<void>,
  options: CaseOptions = {},
): TransportCase {
  return { id, title, run: (harness) => onFreshLink(harness, check, options) };
}

/** Runs one check on a link of its own, which is terminated afterwards in any case. */
export async function onFreshLink(
  harness: TransportHarness,
  check: (bench: Bench) => Promise<void>,
  options: CaseOptions = {},
): Promise<void> {
  const pair = await harness.connect();
  const { near, far } = pair;
  const patienceMs = harness.patienceMs ?? PATIENCE_MS;
  const logs = { near: new ReceivedLog(near, "near", patienceMs), far: new ReceivedLog(far, "far", patienceMs) };
  logs.near.listen(near);
  if (options.unset !== "far") logs.far.listen(far);
  try {
    const wait: Bench["within"] = (promise, what) => within(promise, what, patienceMs);
    await check({ near, far, cut: () => pair.cut(), harness, logs, within: wait });
  } finally {
    near.terminate();
    far.terminate();
  }
}

/** `count` different messages, `bytes` ASCII characters each. */
export function numbered(count: number, bytes: number): string[] {
  return Array.from({ length: count }, (_, index) => `${index} `.padEnd(bytes, "."));
}
