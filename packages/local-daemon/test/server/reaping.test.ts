import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { daemonHome, ended } from "../rendezvous/daemon-home.js";
import { spawnDaemon } from "../support/failpoints.js";
import { startDaemon } from "../support/started-daemon.js";

const MISBEHAVING = fileURLToPath(new URL("../fixtures/misbehaving-agent.mjs", import.meta.url));

/** Agents of that state directory, and what they started, wherever it went. */
function leftIn(state: string): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return `\0${readFileSync(`/proc/${name}/environ`, "utf8")}`.includes(
        `\0DAEMON_SDK_AGENT_STATE=${state}/agents\0`,
      );
    } catch {
      return false;
    }
  });
}

test.each([undefined, "leftovers-killed", "agents-reaped", "sessions-recovered"])(
  "after SIGKILL in mid-turn the next start ends the agents and their setsid grandchildren before anybody is served, also when that start is killed at %s",
  { timeout: 60_000 },
  async (failpoint) => {
    await using home = daemonHome();
    const bad = { command: [process.execPath, MISBEHAVING] };
    await home.write("config.json", JSON.stringify({ agents: { bad }, defaultAgent: "bad" }));
    const first = await startDaemon(home.state);
    for (const [sessionId, text] of [
      ["s-deaf", "deaf"],
      ["s-setsid", "setsid"],
    ] as const) {
      await first.client.createSession(sessionId, { cwd: dirname(home.state) });
      await first.client.call("add_user_message", { sessionId, text, messageId: `m-${sessionId}` });
    }
    await first.client.notified({ type: "assistant_text_delta" }, 2);
    const killed = once(first.child, "exit");
    first.child.kill("SIGKILL");
    await killed;
    // One is deaf to the end of its stdin; of the other its child is left, in a session of its own.
    expect(leftIn(home.state).length).toBeGreaterThanOrEqual(2);
    if (failpoint !== undefined) {
      expect(await once(spawnDaemon(home.state, failpoint), "exit")).toEqual([null, "SIGKILL"]);
    }

    const { child, client } = await startDaemon(home.state);
    expect(leftIn(home.state)).toEqual([]);
    for (const sessionId of ["s-deaf", "s-setsid"]) {
      const { receipts } = await client.result("get_receipts", { sessionId, messageIds: [`m-${sessionId}`] });
      expect(receipts).toMatchObject([{ state: "outcome_unknown", reason: "daemon_restarted" }]);
    }
    await ended(child.pid, "SIGTERM");
  },
);
