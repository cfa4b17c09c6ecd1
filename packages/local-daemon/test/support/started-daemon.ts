import type { ChildProcess } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { type FoundDaemon, probeLocalDaemon } from "../../src/rendezvous/probe.js";
import { TestClient } from "../sessions/harness.js";
import { spawnDaemon } from "./failpoints.js";

/** As {@link spawnDaemon}, once it serves, with a client of it. */
export async function startDaemon(state: string, failpoint?: string) {
  const child = spawnDaemon(state, failpoint);
  const found = await foundDaemon(state, child);
  const client = new TestClient(found.link.transport);
  await client.authenticate(found.link.credential);
  return { child, client };
}

/** That very process, once it serves. Not by asking for a daemon: that might start another. */
export async function foundDaemon(state: string, child: ChildProcess): Promise<FoundDaemon> {
  for (;;) {
    const found = await probeLocalDaemon(state);
    if (found?.record.pid === child.pid) return found as FoundDaemon;
    found?.link.transport.terminate();
    await delay(10);
  }
}
