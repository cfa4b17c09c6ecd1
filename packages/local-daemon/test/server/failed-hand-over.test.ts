import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import type { HandOver } from "../../src/hand-over/index.js";
import { askToHandOver } from "../../src/hand-over/index.js";
import { SessionConnections } from "../../src/session-connections.js";
import { type DaemonDesk, daemonDesk } from "./daemon-desk.js";

afterEach(() => vi.restoreAllMocks());

/** A daemon that is asked to hand over: what its process is told, and the refusal that the asker gets. */
async function refused(desk: DaemonDesk, fault: (instanceId: string) => void) {
  const made: HandOver[] = [];
  const daemon = await desk.start({ onHandOver: (handOver) => made.push(handOver) });
  fault(daemon.endpoint.instanceId);
  const refusal = await askToHandOver({ stateDir: desk.stateDir }).then(String, (error: Error) => error);
  await daemon.closed;
  return { made, refusal };
}

const FAULTS = {
  "its clients cannot be let go": () =>
    void vi.spyOn(SessionConnections.prototype, "close").mockRejectedValueOnce(new TypeError("a fault")),
  "nobody can connect for its agents": (instanceId: string, stateDir: string) =>
    void mkdirSync(join(stateDir, `holder.${instanceId.slice(0, 8)}.sock`)),
} satisfies Record<string, (instanceId: string, stateDir: string) => void>;

test.each(Object.entries(FAULTS))(
  "a hand-over that fails because %s leaves the directory free, and its process can serve again",
  async (_why, fault) => {
    await using desk = daemonDesk();
    const { made, refusal } = await refused(desk, (instanceId) => fault(instanceId, desk.stateDir));
    expect(refusal).toMatchObject({ code: "DAEMON_ALREADY_RUNNING" });
    expect(await made[0]?.outcome).toBe("failed");
    await desk.start();
    await desk.connect();
  },
);
