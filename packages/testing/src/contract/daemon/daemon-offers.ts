import { PATIENCE_MS } from "../expectation.js";
import type { DaemonHarness } from "./daemon-harness.js";
import { WireClient } from "./wire-client.js";

/**
 * Completes a harness of the daemon contract. Requests the daemon's capabilities once, so that cases that need others are
 * skipped, and adds the abilities of the harness itself (`restart`, `keys`, `queued-bytes`, `agent-death`, `fake-clock`, `pruning`).
 *
 * @param also further needs of cases that no capability expresses: `deadlines`, for a daemon with timers
 */
export function daemonHarness(harness: Omit<DaemonHarness, "offers">, also: readonly string[] = []): DaemonHarness {
  let asked: Promise<ReadonlySet<string>> | undefined;
  return {
    ...harness,
    // A daemon's token is new at each start, so it is read each time.
    get credential() {
      return harness.credential;
    },
    offers() {
      asked ??= capabilitiesOf(harness).then((names) => new Set([...names, ...facilitiesOf(harness), ...also]));
      return asked;
    },
  };
}

async function capabilitiesOf(harness: Omit<DaemonHarness, "offers">): Promise<string[]> {
  const client = new WireClient(await harness.connect(), harness.patienceMs ?? PATIENCE_MS);
  const { capabilities = {} } = await client.result("authenticate", {
    caller: "daemon-contract",
    ...harness.credential,
  });
  client.transport.close();
  return Object.keys(capabilities as object);
}

function facilitiesOf(harness: Omit<DaemonHarness, "offers">): string[] {
  const { restart, keys, queuedBytes, passTime, prune, prompts } = harness;
  const present: readonly (readonly [string, unknown])[] = [
    ["restart", restart],
    ["keys", keys],
    ["queued-bytes", queuedBytes],
    ["fake-clock", passTime],
    ["pruning", prune],
    ["agent-death", prompts.die],
  ];
  return present.flatMap(([name, value]) => (value === undefined ? [] : [name]));
}
