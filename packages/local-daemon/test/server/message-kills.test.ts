import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { notificationOf } from "../../src/journal/journal-frame.js";
import { SqliteStore } from "../../src/storage/sqlite-store.js";
import { storedEntries } from "../journal/stored-entries.js";
import { daemonHome, ended } from "../rendezvous/daemon-home.js";
import { startDaemon } from "../support/started-daemon.js";

/** Where the daemon is killed, and what may have become of the message afterwards. */
const KILLS: readonly [failpoint: string, states: readonly string[]][] = [
  ["message-accepting", ["completed"]],
  ["message-accepted", ["completed"]],
  ["message-acknowledged", ["completed"]],
  ["message-handing", ["completed"]],
  ["message-handed", ["outcome_unknown"]],
  ["message-written", ["outcome_unknown"]],
  ["message-running", ["outcome_unknown"]],
  ["message-taken", ["outcome_unknown"]],
  ["message-ending", ["outcome_unknown"]],
];

const AGENT = fileURLToPath(new URL("../fixtures/noting-agent.mjs", import.meta.url));

describe("a daemon that is killed at a step of a message's life", () => {
  test.each(KILLS)("at `%s`: the message ends once, and its agent never gets it twice", async (failpoint, states) => {
    await using home = daemonHome();
    const command = [process.execPath, AGENT];
    await home.write("config.json", JSON.stringify({ agents: { noting: { command } }, defaultAgent: "noting" }));
    const work = join(dirname(home.state), "work.log");
    writeFileSync(work, "");
    const prompt = { sessionId: "s-1", text: "Hi", messageId: "m-1" };

    const first = await startDaemon(home.state, failpoint);
    const exit = once(first.child, "exit");
    await first.client.createSession("s-1", { cwd: dirname(home.state) });
    first.client.send("add_user_message", prompt);
    expect(await exit).toEqual([null, "SIGKILL"]);

    const { child, client } = await startDaemon(home.state);
    await client.loadSession("s-1");
    // A message that was accepted before the kill is acknowledged again with its receipt.
    const receipt = expect.objectContaining({ messageId: "m-1" });
    const { result } = await client.call("add_user_message", prompt);
    expect(result).toEqual(failpoint === "message-accepting" ? {} : { receipt });
    // The session works on: what comes after is done, once.
    await client.call("add_user_message", { ...prompt, messageId: "m-2" });
    expect(await client.turnEnd("m-2")).toMatchObject({ reason: "completed" });
    await ended(child.pid, "SIGTERM");

    const store = new SqliteStore({ path: join(home.state, "daemon.db") });
    await store.open();
    const entries = await storedEntries(store, "s-1" as never);
    const row = await store.readTurn("s-1" as never, "m-1");
    await store.close();
    expect(states).toContain(row?.state);
    const told = entries.map(({ entry }) => notificationOf(entry));
    expect(told.filter(({ turnId }) => turnId === "m-1")).toMatchObject([
      { reason: row?.state === "completed" ? "completed" : "daemon_restarted" },
    ]);
    const done = readFileSync(work, "utf8").trim().split("\n");
    expect(done.filter((id) => id === "m-2")).toHaveLength(1);
    if (row?.state === "completed") expect(done.filter((id) => id === "m-1")).toHaveLength(1);
    else expect(done.filter((id) => id === "m-1").length).toBeLessThanOrEqual(1);
  });
});
