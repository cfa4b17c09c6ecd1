import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { newId, type SessionId, silentLogger } from "@daemon-sdk/protocol";
import { afterEach, describe, expect, test, vi } from "vitest";
import { waitUntilGone } from "../../src/agents/marked-processes.js";
import { isSameProcess, parseLinuxStat, startTimeOf } from "../../src/agents/process-identity.js";
import { reapLeftovers } from "../../src/agents/reaper.js";
import { processState } from "./agent-harness.js";

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** A process as an agent of some daemon would be: leader of a group, with the markers. */
async function leftover(instanceId: string, agentStateDir = "/state/a"): Promise<{ pid: number; startTime: string }> {
  const child = spawn("sleep", ["1000"], {
    detached: true,
    stdio: "ignore",
    env: { PATH: process.env.PATH, DAEMON_SDK_INSTANCE: instanceId, DAEMON_SDK_AGENT_STATE: agentStateDir },
  });
  children.push(child);
  await once(child, "spawn");
  const pid = child.pid ?? 0;
  return { pid, startTime: (await startTimeOf(pid)) ?? "" };
}

const row = (of: { pid: number; startTime: string }, instanceId: string) => ({
  ...of,
  instanceId,
  sessionId: newId<SessionId>(),
});
const dead = [undefined, "Z"];

describe("reapLeftovers", () => {
  test("kills the agents that an earlier daemon recorded, and says how many", async () => {
    const [earlier, now] = [newId(), newId()];
    const [one, two] = await Promise.all([leftover(earlier), leftover(earlier)]);
    expect(await reapLeftovers([row(one, earlier), row(two, earlier)], now, silentLogger)).toBe(2);
    expect(dead).toContain(await processState(one.pid));
    expect(dead).toContain(await processState(two.pid));
  });

  test("spares a process that was given the pid of a dead agent", async () => {
    const [earlier, now] = [newId(), newId()];
    const other = await leftover(newId(), "/state/other");
    const stale = { pid: other.pid, startTime: `${other.startTime}0` };
    expect(await reapLeftovers([row(stale, earlier)], now, silentLogger)).toBe(0);
    expect(dead).not.toContain(await processState(other.pid));
  });

  test("spares the agents of this daemon", async () => {
    const now = newId();
    const own = await leftover(now);
    expect(await reapLeftovers([row(own, now)], now, silentLogger, { agentStateDir: "/state/a" })).toBe(0);
    expect(dead).not.toContain(await processState(own.pid));
  });

  test("finds grandchildren of a recorded daemon's agents by their marker, whose own pid nobody wrote down", async () => {
    const [earlier, now] = [newId(), newId()];
    const [agent, grandchild] = await Promise.all([leftover(earlier), leftover(earlier)]);
    expect(await reapLeftovers([row(agent, earlier)], now, silentLogger)).toBe(2);
    expect(dead).toContain(await processState(grandchild.pid));
  });

  test("finds agents of this state directory that were never recorded, and spares those of another", async () => {
    const now = newId();
    const here = await leftover(newId(), "/state/here");
    const elsewhere = await leftover(newId(), "/state/elsewhere");
    expect(await reapLeftovers([], now, silentLogger, { agentStateDir: "/state/here" })).toBe(1);
    expect(dead).toContain(await processState(here.pid));
    expect(dead).not.toContain(await processState(elsewhere.pid));
  });

  test("does nothing about agents that are gone already", async () => {
    const rows = [{ pid: 2 ** 22 + 1, startTime: "x", instanceId: newId(), sessionId: newId<SessionId>() }];
    expect(await reapLeftovers(rows, newId(), silentLogger)).toBe(0);
  });
});

describe("the identity of a process", () => {
  test("is the same as long as it lives, and none afterwards, zombie or gone", async () => {
    const { pid, startTime } = await leftover(newId());
    expect(startTime).not.toBe("");
    expect(await isSameProcess(pid, startTime)).toBe(true);
    expect(await isSameProcess(pid, "another time")).toBe(false);
    const child = children.at(-1);
    child?.kill("SIGKILL");
    await once(child ?? process, "exit");
    expect(await startTimeOf(pid)).toBeUndefined();
  });

  test("is read from behind the last bracket, whatever the program calls itself", () => {
    const fields = ["S", ..."4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21".split(" "), "4242", "23"];
    const line = `77 (evil) S 1 (name) ${fields.join(" ")}`;
    expect(parseLinuxStat(line, "boot")).toEqual({ state: "S", startTime: "boot/4242" });
    expect(parseLinuxStat("", "boot")).toBeUndefined();
  });
});

test("the wait for a process that does not die ends in time, even when the computer's clock is set back meanwhile (F7)", async () => {
  const stubborn = await leftover(newId());
  const started = Date.now();
  const clock = vi
    .spyOn(Date, "now")
    .mockReturnValueOnce(started)
    .mockReturnValue(started - 3_600_000);
  const left = await waitUntilGone([stubborn]).finally(() => clock.mockRestore());
  expect(left).toEqual([stubborn]);
});
