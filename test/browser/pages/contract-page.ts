import { transportContract } from "@daemon-sdk/testing";
import { dialWebSocket } from "@daemon-sdk/transport-ws";

/** What became of one case of the contract. */
export interface CaseResult {
  readonly id: string;
  readonly fault?: string;
}

/**
 * Runs the transport contract on links whose ends are both in this page: two WebSockets of it, which the server joins. What they
 * sent and what they heard has crossed a real wire twice.
 */
async function runContract(highWaterBytes: number, maxMessageBytes: number): Promise<CaseResult[]> {
  const bounds = { highWaterBytes, maxMessageBytes };
  const results: CaseResult[] = [];
  for (const { id, run } of transportContract) {
    results.push(
      await run({ ...bounds, connect: () => connect(bounds) }).then(
        () => ({ id }),
        (fault: unknown) => ({ id, fault: String(fault) }),
      ),
    );
  }
  return results;
}

async function connect(bounds: { highWaterBytes: number; maxMessageBytes: number }) {
  const link = crypto.randomUUID();
  const [near, far] = await Promise.all(
    ["near", "far"].map((side) => dialWebSocket(`ws://${location.host}/${link}/${side}`, bounds)),
  );
  if (near === undefined || far === undefined) throw new Error("Two dials, two links.");
  return { near, far, cut: () => void fetch(`/cut/${link}`, { method: "POST" }) };
}

Object.assign(globalThis, { runContract });
