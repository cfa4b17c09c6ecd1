import type { Transport } from "@daemon-sdk/protocol";
import type { ContractCase, OfferingHarness } from "../contract.js";
import { PATIENCE_MS, within } from "../expectation.js";
import { ReceivedLog } from "./received-log.js";

/** Two ends of one fresh link. */
export interface TransportPair {
  readonly near: Transport;
  readonly far: Transport;
  /** Breaks what lies between the ends, as a dead network does. */
  cut(): void;
}

/** Makes links for the contract, and says what they are bound to. Small bounds make the contract quick. */
export interface TransportHarness extends OfferingHarness {
  /** The high-water mark of both ends. */
  readonly highWaterBytes: number;
  /** The largest message that both ends take; at least 256 KiB. */
  readonly maxMessageBytes: number;
  /** How long to wait for what has to come; default 5 000. */
  readonly patienceMs?: number;
  /** A link that nobody has used. The contract terminates both ends when it is done with it. */
  connect(): Promise<TransportPair>;
}

/** One promise of the transport contract. */
export type TransportCase = ContractCase<TransportHarness>;

/** What a case works with. */
export interface Bench extends TransportPair {
  readonly harness: TransportHarness;
  readonly logs: { readonly near: ReceivedLog; readonly far: ReceivedLog };
  /** `promise`, or a failure that names what did not come in time. */
  within<T>(promise: Promise<T>, what: string): Promise<T>;
}

/** How a case wants its link. */
export interface CaseOptions {
  /** Side whose `onMessage` is left unset, for the case to set. */
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

/** Runs one check on a link of its own, which is gone afterwards, whatever happened. */
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

/** `count` messages that differ, `bytes` ASCII characters each. */
export function numbered(count: number, bytes: number): string[] {
  return Array.from({ length: count }, (_, index) => `${index} `.padEnd(bytes, "."));
}
