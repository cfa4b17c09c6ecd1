import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SqliteStore } from "../../src/storage/sqlite-store.js";
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

/** An agent that notes each prompt it gets in `work.log` of its directory, and ends the turn. */
const AGENT = `
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";
const say = (message) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", factoryApiVersion: "1.0.0", ...message }) + "\\n");
const tell = (notification) => say({ type: "notification", method: "droid.session_notification", params: { notification } });
createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  if (method === undefined) return;
  const result = /^droid\\.(initialize|load)_session$/.test(method) ? { sessionId: "a-1", session: { messages: [] }, settings: { modelId: "m", reasoningEffort: "none" } } : {};
  say({ type: "response", id, result });
  if (method !== "droid.add_user_message") return;
  appendFileSync("work.log", params.messageId + "\\n");
  const message = { id: params.messageId, role: "user", content: [{ type: "text", text: params.text }], createdAt: 1, updatedAt: 1 };
  tell({ type: "droid_working_state_changed", newState: "streaming_assistant_message" });
  tell({ type: "create_message", message, requestId: id });
  tell({ type: "agent_turn_completed", reason: "completed" });
  tell({ type: "droid_working_state_changed", newState: "idle" });
});
`;

describe("a daemon that is killed at a step of a message's life", () => {
  test.each(KILLS)("at `%s`: the message ends once, and its agent never gets it twice", async (failpoint, states) => {
    await using home = daemonHome();
    await home.write("agent.mjs", AGENT);
    const command = [process.execPath, join(home.state, "agent.mjs")];
    await home.write("config.json", JSON.stringify({ agents: { noting: { command } }, defaultAgent: "noting" }));
    const work = join(home.state, "work.log");
    writeFileSync(work, "");
    const prompt = { sessionId: "s-1", text: "Hi", messageId: "m-1" };

    const first = await startDaemon(home.state, failpoint);
    const exit = once(first.child, "exit");
    await first.client.createSession("s-1", { cwd: home.state });
    first.client.send("add_user_message", prompt);
    expect(await exit).toEqual([null, "SIGKILL"]);

    const { child, client } = await startDaemon(home.state);
    await client.loadSession("s-1");
    expect((await client.call("add_user_message", prompt)).result).toEqual({});
    // The session works on: what comes after is done, once.
    await client.call("add_user_message", { ...prompt, messageId: "m-2" });
    expect(await client.turnEnd("m-2")).toMatchObject({ reason: "completed" });
    await ended(child.pid, "SIGTERM");

    const store = new SqliteStore({ path: join(home.state, "daemon.db") });
    await store.open();
    const { frames } = await store.readFrames("s-1" as never, 1, Number.MAX_SAFE_INTEGER);
    const row = await store.readTurn("s-1" as never, "m-1");
    await store.close();
    expect(states).toContain(row?.state);
    const told = frames.map((frame) => JSON.parse(frame).params.notification);
    expect(told.filter(({ turnId }) => turnId === "m-1")).toMatchObject([
      { reason: row?.state === "completed" ? "completed" : "daemon_restarted" },
    ]);
    const done = readFileSync(work, "utf8").trim().split("\n");
    expect(done.filter((id) => id === "m-2")).toHaveLength(1);
    if (row?.state === "completed") expect(done.filter((id) => id === "m-1")).toHaveLength(1);
    else expect(done.filter((id) => id === "m-1").length).toBeLessThanOrEqual(1);
  });
});
