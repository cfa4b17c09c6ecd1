import { realpath } from "node:fs/promises";
import { createEnvelope, type MessageType } from "@daemon-sdk/protocol/relay";
import { describe, expect, test } from "vitest";
import { MemoryStore } from "../../../src/server.js";
import { tempDir } from "../../agents/agent-harness.js";
import { RelayDaemon } from "../relay-daemon.js";
import { ask, isDead, leftovers, spawned, spawningDaemon } from "./spawn-harness.js";

describe("a program that connects by itself", () => {
  test("finds the socket, its name and its spawner in its environment, and none of the daemon's secrets", async () => {
    process.env.DAEMON_SECRET = "not for programs";
    await using daemon = await spawningDaemon();
    await using directory = await tempDir();
    const lead = await daemon.connect("Lead");
    await spawned(lead, "Worker", "program", { task: "first task", cwd: directory.path });
    const { payload } = await lead.next("DELIVER");
    expect(payload.body).toBe("did: first task");
    expect(payload.data).toMatchObject({ spawner: "Lead", cwd: await realpath(directory.path) });
    expect(payload.data).not.toHaveProperty("secret");
    delete process.env.DAEMON_SECRET;
  });

  test("gets what was sent to it while it was starting", async () => {
    await using daemon = await spawningDaemon();
    const lead = await daemon.connect("Lead");
    lead.write(createEnvelope("SPAWN", { name: "Worker", cli: "program", task: "" }));
    while (lead.all("DELIVER").length === 0) {
      lead.send("Worker", "early");
      await lead.settled();
    }
    expect((await lead.next("DELIVER")).payload.body).toBe("did: early");
  });

  test("gets input on its stdin, and has no model to switch", async () => {
    await using daemon = await spawningDaemon();
    const lead = await daemon.connect("Lead");
    await spawned(lead, "Worker", "program");
    expect(await ask(lead, "SEND_INPUT", { name: "Worker", data: "typed\n" })).toMatchObject({ success: true });
    do {
      lead.send("Worker", "what did you hear?");
      await lead.next("DELIVER", lead.all("DELIVER").length + 1);
    } while (lead.all("DELIVER").at(-1)?.payload.data.heard === "");
    expect(lead.all("DELIVER").at(-1)?.payload.data.heard).toBe("typed\n");
    expect(await ask(lead, "SET_MODEL", { name: "Worker", model: "m" })).toMatchObject({
      success: false,
      model: "m",
      error: expect.stringContaining("does not support mid-session model switching"),
    });
  });

  test("is gone after RELEASE, process and connection, and does not come back", async () => {
    await using daemon = await spawningDaemon();
    const lead = await daemon.connect("Lead");
    const pid = await spawned(lead, "Worker", "program");
    expect(await ask(lead, "RELEASE", { name: "Worker" })).toMatchObject({ success: true, name: "Worker" });
    expect(await isDead(pid)).toBe(true);
    expect(await leftovers(daemon)).toEqual([]);
    while (lead.all("LIST_CONNECTED_AGENTS_RESPONSE").at(-1)?.payload.agents.length !== 1) {
      lead.write(createEnvelope("LIST_CONNECTED_AGENTS", {}));
      await lead.next("LIST_CONNECTED_AGENTS_RESPONSE", lead.all("LIST_CONNECTED_AGENTS_RESPONSE").length + 1);
    }
    expect((await ask(lead, "LIST_WORKERS", {})).workers).toEqual([]);
  });

  test.each(["stubborn", "litter"])("leaves nothing behind when it is %s", async (how) => {
    await using daemon = await spawningDaemon();
    const lead = await daemon.connect("Lead");
    const pid = await spawned(lead, "Worker", how);
    expect(await ask(lead, "RELEASE", { name: "Worker" })).toMatchObject({ success: true });
    expect(await isDead(pid)).toBe(true);
    expect(await leftovers(daemon)).toEqual([]);
  });

  test("that ends before it connects is told with its last words, and no row of it stays", async () => {
    const store = new MemoryStore();
    await using daemon = await spawningDaemon({ store });
    const lead = await daemon.connect("Lead");
    const result = await ask(lead, "SPAWN", { name: "Worker", cli: "crash", task: "" });
    expect(result).toMatchObject({ success: false, name: "Worker" });
    expect(result.error).toMatch(/exit code 7.*\n.*no licence found/s);
    await lead.settled();
    expect((await ask(lead, "LIST_WORKERS", {})).workers).toEqual([]);
    await daemon.close();
    expect(await store.agentProcesses()).toEqual([]);
  });

  test("that never connects is ended when its time is up", async () => {
    await using daemon = await spawningDaemon({ limits: { relaySpawnMs: 200 } });
    const lead = await daemon.connect("Lead");
    const result = await ask(lead, "SPAWN", { name: "Worker", cli: "mute", task: "" });
    expect(result).toMatchObject({ success: false, error: expect.stringContaining("timed out after 200 ms") });
    expect(await leftovers(daemon)).toEqual([]);
  });

  test("can be released while it is starting", async () => {
    await using daemon = await spawningDaemon();
    const lead = await daemon.connect("Lead");
    const started = ask(lead, "SPAWN", { name: "Worker", cli: "mute", task: "" });
    const again = await ask(lead, "SPAWN", { name: "Worker", cli: "mute", task: "" });
    expect(again).toMatchObject({ success: false, error: expect.stringContaining("already in progress") });
    expect(await ask(lead, "RELEASE", { name: "Worker" })).toMatchObject({ success: true });
    expect(await started).toMatchObject({ success: false, error: expect.stringContaining("was released") });
    expect(await leftovers(daemon)).toEqual([]);
  });

  test.each(["mute", "workspace"])("can be released at the moment of its SPAWN (%s)", async (cli) => {
    await using daemon = await spawningDaemon();
    const lead = await daemon.connect("Lead");
    const started = ask(lead, "SPAWN", { name: "Worker", cli, task: "" });
    expect(await ask(lead, "RELEASE", { name: "Worker" })).toMatchObject({ success: true });
    expect(await started).toMatchObject({ success: false, error: expect.stringContaining("was released") });
    expect(await leftovers(daemon)).toEqual([]);
  });

  test("goes on when its spawner has gone, and ends with the daemon", async () => {
    const daemon = await spawningDaemon();
    const lead = await daemon.connect("Lead");
    const pid = await spawned(lead, "Worker", "program");
    const stdio = await spawned(lead, "Second", "workspace");
    await lead.cut();
    const other = await daemon.connect("Other");
    other.send("Worker", "still there?");
    expect((await other.next("DELIVER")).payload.body).toBe("did: still there?");
    other.send("Second", "say me, too");
    expect((await other.next("DELIVER", 2)).payload.body).toBe("me, too");
    await daemon[Symbol.asyncDispose]();
    expect([await isDead(pid), await isDead(stdio)]).toEqual([true, true]);
    expect(await leftovers(daemon)).toEqual([]);
  });

  test("that is still starting ends with the daemon, too", async () => {
    const daemon = await spawningDaemon();
    const lead = await daemon.connect("Lead");
    lead.write(createEnvelope("SPAWN", { name: "Worker", cli: "mute", task: "" }));
    await lead.settled();
    await daemon[Symbol.asyncDispose]();
    expect(await leftovers(daemon)).toEqual([]);
  });
});

describe("SPAWN", () => {
  test("refuses bad names, running and connected ones, agents it does not know and directories that are none", async () => {
    await using daemon = await spawningDaemon();
    const lead = await daemon.connect("Lead");
    await spawned(lead, "Worker", "workspace");
    const refusal = async (name: string, more: object = {}) => {
      const result = await ask(lead, "SPAWN", { name, cli: "workspace", task: "", ...more });
      expect(result).toMatchObject({ success: false, name });
      return result.error as string;
    };
    expect(await refusal("../Worker")).toContain("contains path traversal characters");
    expect(await refusal("Worker")).toContain("already running");
    expect(await refusal("LEAD")).toContain("already connected");
    expect(await refusal("W", { cli: "droid" })).toContain("Known ones: ");
    expect(await refusal("W", { cwd: "/no/such/directory" })).toContain("cwd must be a directory");
    expect(await refusal("W", { cwd: daemon.stateDir })).toContain("must not be inside the daemon's state directory");
  });

  test("names the asker as the task's sender, whoever it names as spawner", async () => {
    await using daemon = await spawningDaemon();
    const mallory = await daemon.connect("Mallory");
    const lead = await daemon.connect("Lead");
    await spawned(mallory, "Worker", "program", { task: "a task", spawnerName: "Lead" });
    const { payload } = await mallory.next("DELIVER");
    expect(payload).toMatchObject({ body: "did: a task", data: { spawner: "Lead" } });
    await lead.settled();
    expect(lead.all("DELIVER")).toEqual([]);
  });

  test("a task that fits into no frame ends what was started for it, and the result says why", async () => {
    await using daemon = await spawningDaemon();
    const lead = await daemon.connect("L".repeat(100));
    const task = "x".repeat(1024 * 1024 - 200);
    const result = await ask(lead, "SPAWN", { name: "Worker", cli: "workspace", task });
    expect(result).toMatchObject({ success: false, error: expect.stringContaining("its task could not be given") });
    expect(await leftovers(daemon)).toEqual([]);
  });
});

describe("RELEASE", () => {
  test("of an agent that was not spawned is refused, unless names are open", async () => {
    await using daemon = await spawningDaemon();
    const lead = await daemon.connect("Lead");
    const guest = await daemon.connect("Guest");
    const refusal = expect.stringContaining("acts for the person");
    expect(await ask(lead, "RELEASE", { name: "Guest" })).toMatchObject({ success: false, error: refusal });
    await guest.settled();
    expect(guest.isEnded).toBe(false);
  });

  test("of an agent that was not spawned ends its connection, with an ERROR that keeps it away", async () => {
    await using daemon = await spawningDaemon({ relayAccess: "open" });
    const lead = await daemon.connect("Lead");
    const guest = await daemon.connect("Guest");
    expect(await ask(lead, "RELEASE", { name: "Guest" })).toMatchObject({ success: true });
    await guest.ended();
    expect(guest.all("ERROR").map(({ payload }) => payload)).toEqual([
      expect.objectContaining({ fatal: true, message: 'Agent "Guest" was released by "Lead".' }),
    ]);
    expect(await ask(lead, "RELEASE", { name: "Nobody" })).toMatchObject({ error: "Agent Nobody not found" });
    expect(await ask(lead, "SEND_INPUT", { name: "Nobody", data: "x" })).toMatchObject({
      error: "Agent Nobody not found or input failed",
    });
    expect(await ask(lead, "SET_MODEL", { name: "Nobody", model: "m" })).toMatchObject({ success: false, model: "m" });
  });
});

describe("without a spawn manager", () => {
  test("every request about workers is refused at once, and the refusal names it", async () => {
    await using daemon = await RelayDaemon.start();
    const lead = await daemon.connect("Lead");
    const requests = [
      createEnvelope("SPAWN", { name: "W", cli: "workspace", task: "" }),
      createEnvelope("RELEASE", { name: "W" }),
      createEnvelope("SEND_INPUT", { name: "W", data: "x" }),
      createEnvelope("SET_MODEL", { name: "W", model: "m" }),
      createEnvelope("LIST_WORKERS", {}),
    ];
    lead.write(...requests);
    await lead.next("ERROR", requests.length);
    const expected = requests.map(({ id }) => ({
      code: "INTERNAL",
      message: "SpawnManager not enabled. Configure spawnManager: true in daemon config.",
      fatal: false,
      ref_id: id,
      replyTo: id,
    }));
    expect(lead.all("ERROR" satisfies MessageType).map(({ payload }) => payload)).toEqual(expected);
  });
});
