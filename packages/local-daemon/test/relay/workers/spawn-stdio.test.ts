import { createEnvelope } from "@daemon-sdk/protocol/relay";
import { describe, expect, test } from "vitest";
import { MemoryStore } from "../../../src/server.js";
import { tempDir } from "../../agents/agent-harness.js";
import { type RawPeer, sendOf } from "../relay-daemon.js";
import { ask, isDead, spawned, spawningDaemon } from "./spawn-harness.js";

/** Bodies of what a name has not acknowledged. */
async function unread(peer: RawPeer, agent: string): Promise<string[]> {
  const query = createEnvelope("INBOX", { agent, unreadOnly: true });
  peer.write(query);
  const answers = () => peer.all("INBOX_RESPONSE").filter(({ id }) => id === query.id);
  await peer.when(() => answers().length > 0);
  return answers()[0]?.payload.messages.map(({ body }: { body: string }) => body);
}

describe("a stdio agent that was spawned", () => {
  test("is there like any other: others hear that it is ready, and lists name it with its spawner", async () => {
    await using daemon = await spawningDaemon();
    const lead = await daemon.connect("Lead");
    const other = await daemon.connect("Other");
    const pid = await spawned(lead, "Worker", "workspace", { team: "blue" });
    expect((await other.next("AGENT_READY")).payload).toMatchObject({ name: "Worker", cli: "workspace" });
    lead.write(createEnvelope("LIST_CONNECTED_AGENTS", {}));
    const { payload } = await lead.next("LIST_CONNECTED_AGENTS_RESPONSE");
    const worker = payload.agents.find(({ name }: { name: string }) => name === "Worker");
    expect(worker).toEqual({ name: "Worker", cli: "workspace", idle: false, parent: "Lead", team: "blue", pid });
  });

  test("counts among the agents of the daemon: past their number it waits for the end of another", async () => {
    await using daemon = await spawningDaemon({ limits: { liveAgents: 1 } });
    const lead = await daemon.connect("Lead");
    await spawned(lead, "First", "workspace");
    const second = spawned(lead, "Second", "workspace");
    lead.write(createEnvelope("LIST_WORKERS", {}));
    const { payload } = await lead.next("LIST_WORKERS_RESULT");
    expect(payload.workers.map(({ name }: { name: string }) => name)).toEqual(["First"]);
    await ask(lead, "RELEASE", { name: "First" });
    expect(await second).toBeGreaterThan(0);
  });

  test("works on its task in its directory, and answers to who asked for it", async () => {
    await using daemon = await spawningDaemon();
    await using directory = await tempDir();
    const lead = await daemon.connect("Lead");
    await spawned(lead, "Worker", "workspace", { task: "write note.txt: done\nread note.txt", cwd: directory.path });
    const answer = await lead.next("DELIVER");
    expect(answer).toMatchObject({ from: "Worker", to: "Lead", payload: { kind: "message" } });
    expect(answer.payload.body).toContain("done");
  });

  test("takes a message for a prompt and answers in its thread, under its correlation", async () => {
    await using daemon = await spawningDaemon();
    const lead = await daemon.connect("Lead");
    const other = await daemon.connect("Other");
    await spawned(lead, "Worker", "workspace");
    const payload = { kind: "message", body: "say hello", thread: "t-1", data: { _correlationId: "c-1" } };
    other.write(createEnvelope("SEND", payload, { to: "Worker", payload_meta: { replyTo: "c-1" } }));
    const answer = await other.next("DELIVER");
    expect(answer).toMatchObject({ from: "Worker", payload_meta: { replyTo: "c-1" } });
    expect(answer.payload).toMatchObject({ body: "hello", thread: "t-1", data: { _correlationId: "c-1" } });
    await lead.settled();
    expect(lead.all("DELIVER")).toEqual([]);
  });

  test("answers a blocking SEND by its ACK, and by that alone", async () => {
    await using daemon = await spawningDaemon();
    const lead = await daemon.connect("Lead");
    await spawned(lead, "Worker", "workspace");
    lead.send("Worker", "say done", { payload_meta: { sync: { correlationId: "c-2", blocking: true } } });
    const ack = await lead.next("ACK");
    expect(ack).toMatchObject({ from: "Worker", to: "Lead" });
    expect(ack.payload).toMatchObject({ correlationId: "c-2", response: "OK", responseData: "done" });
    lead.send("Worker", "say more");
    expect((await lead.next("DELIVER")).payload.body).toBe("more");
  });

  test("works on messages one after the other, in order, and answers each once", async () => {
    await using daemon = await spawningDaemon();
    const lead = await daemon.connect("Lead");
    await spawned(lead, "Worker", "workspace");
    const numbers = Array.from({ length: 30 }, (_, index) => String(index));
    lead.write(...numbers.map((number) => sendOf("Worker", `say ${number}`)));
    await lead.next("DELIVER", numbers.length);
    expect(lead.bodies()).toEqual(numbers);
  });

  test("leaves alone what is no work: states, thoughts, and answers of other workers", async () => {
    await using daemon = await spawningDaemon();
    const lead = await daemon.connect("Lead");
    await spawned(lead, "Worker", "workspace");
    for (const kind of ["state", "thinking"]) {
      lead.write(createEnvelope("SEND", { kind, body: "say no" }, { to: "Worker" }));
    }
    const answered = { kind: "message", body: "say no", data: { _workerAnswer: true } };
    lead.write(createEnvelope("SEND", answered, { to: "Worker" }));
    lead.send("Worker", "say yes");
    expect((await lead.next("DELIVER")).payload.body).toBe("yes");
  });

  test("answers in a channel when it is mentioned there, and only then", async () => {
    await using daemon = await spawningDaemon();
    const lead = await daemon.connect("Lead");
    await spawned(lead, "Worker", "workspace");
    const message = (body: string, mentions: string[]) =>
      createEnvelope("CHANNEL_MESSAGE", { channel: "#general", body, mentions, thread: "t" });
    lead.write(message("say no", ["Other"]), message("say yes", ["Worker"]));
    const answer = await lead.next("CHANNEL_MESSAGE");
    expect(answer).toMatchObject({ from: "Worker", payload: { channel: "#general", body: "yes", thread: "t" } });
  });

  test("gets input as a message, has its model switched, and is listed", async () => {
    await using daemon = await spawningDaemon();
    const lead = await daemon.connect("Lead");
    const pid = await spawned(lead, "Worker", "workspace", { task: " ", cwd: "/", spawnerName: "Somebody" });
    expect(await ask(lead, "SEND_INPUT", { name: "Worker", data: "say typed" })).toMatchObject({ success: true });
    expect((await lead.next("DELIVER")).payload.body).toBe("typed");
    const switched = await ask(lead, "SET_MODEL", { name: "Worker", model: "m-2" });
    expect(switched).toMatchObject({ success: true, name: "Worker", model: "m-2", previousModel: expect.any(String) });
    const { workers } = await ask(lead, "LIST_WORKERS", {});
    expect(workers).toEqual([
      {
        name: "Worker",
        cli: "workspace",
        task: " ",
        cwd: "/",
        spawnerName: "Somebody",
        spawnedAt: expect.any(Number),
        pid,
        model: "m-2",
      },
    ]);
  });

  test("is gone after RELEASE: the process, the name, the list", async () => {
    const store = new MemoryStore();
    await using daemon = await spawningDaemon({ store });
    const lead = await daemon.connect("Lead");
    const pid = await spawned(lead, "Worker", "workspace");
    expect((await store.agentProcesses()).map((row) => row.pid)).toEqual([pid]);
    expect(await ask(lead, "RELEASE", { name: "Worker", reason: "done" })).toMatchObject({ success: true });
    expect(await isDead(pid)).toBe(true);
    expect((await ask(lead, "LIST_WORKERS", {})).workers).toEqual([]);
    lead.write(createEnvelope("LIST_AGENTS", { includeIdle: true }));
    const { agents } = (await lead.next("LIST_AGENTS_RESPONSE")).payload;
    expect(agents).toContainEqual({ name: "Worker", cli: "workspace", idle: true });
    expect(await ask(lead, "RELEASE", { name: "Worker" })).toMatchObject({
      success: false,
      error: "Agent Worker not found",
    });
    expect(await store.agentProcesses()).toEqual([]);
  });

  test("that dies has its running message answered with the reason, and the others wait for its next life", async () => {
    await using daemon = await spawningDaemon({ relayAccess: "open" });
    const lead = await daemon.connect("Lead");
    const pid = await spawned(lead, "Worker", "workspace");
    lead.send("Worker", "count 1000 every 1000", { thread: "t" });
    lead.send("Worker", "say later");
    const other = await daemon.connect("Other");
    other.send("Worker", "say even later");
    await other.settled();
    while ((await unread(lead, "Worker")).includes("count 1000 every 1000")) await lead.settled();
    process.kill(pid, "SIGKILL");
    const answer = await lead.next("DELIVER");
    expect(answer.payload.data).toMatchObject({ _reason: "agent_exited" });
    const respawn = async () => (await ask(lead, "SPAWN", { name: "Worker", cli: "workspace", task: "" })).success;
    while (!(await respawn())) await lead.settled();
    expect((await lead.next("DELIVER", 2)).payload.body).toBe("later");
    expect((await other.next("DELIVER")).payload.body).toBe("even later");
  });

  test("has its name for itself: a program that connects under it is refused", async () => {
    await using daemon = await spawningDaemon();
    const lead = await daemon.connect("Lead");
    await spawned(lead, "Worker", "workspace");
    expect((await daemon.stranger("Worker")).all("ERROR")[0]?.payload).toMatchObject({ fatal: true });
    expect((await ask(lead, "LIST_WORKERS", {})).workers).toHaveLength(1);
  });

  test("ends when somebody connects under its name where names are open, who then has it", async () => {
    await using daemon = await spawningDaemon({ relayAccess: "open" });
    const lead = await daemon.connect("Lead");
    const pid = await spawned(lead, "Worker", "workspace");
    const newcomer = await daemon.connect("Worker");
    lead.send("Worker", "hello");
    expect((await newcomer.next("DELIVER")).payload.body).toBe("hello");
    while ((await ask(lead, "LIST_WORKERS", {})).workers.length > 0) await lead.settled();
    expect(await isDead(pid)).toBe(true);
    lead.send("Worker", "still there?");
    expect((await newcomer.next("DELIVER", 2)).payload.body).toBe("still there?");
  });

  test("cannot be a program that is no agent: the result says why", async () => {
    await using daemon = await spawningDaemon({
      agents: { silent: { command: [process.execPath, "-e", "process.exit(4)"] }, none: { command: ["/no/such"] } },
    });
    const lead = await daemon.connect("Lead");
    const silent = await ask(lead, "SPAWN", { name: "W", cli: "silent", task: "" });
    expect(silent).toMatchObject({ success: false, error: expect.stringContaining("exit code 4") });
    const none = await ask(lead, "SPAWN", { name: "W", cli: "none", task: "" });
    expect(none).toMatchObject({ success: false, error: expect.stringContaining('no program "/no/such"') });
    lead.send("W", "nobody");
    expect((await lead.next("ERROR")).payload.code).toBe("NOT_FOUND");
  });
});
