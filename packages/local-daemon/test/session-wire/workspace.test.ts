import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Harness, type HarnessOptions } from "../sessions/harness.js";
import { ScratchDirectory } from "../working-directory/scratch-repository.js";

async function withClient(options: HarnessOptions = {}) {
  const harness = await Harness.start(options);
  harness.spawner.onSpawn = (agent) => {
    agent.onPrompt = () => agent.end();
  };
  const client = harness.dial();
  await client.authenticate();
  return { harness, client };
}

describe("load_session with another cwd", () => {
  test("brings a session back whose directory is gone: its agent starts in the new one, with its conversation", async () => {
    using scratch = new ScratchDirectory();
    const [gone, kept] = [join(scratch.path, "gone"), join(scratch.path, "kept")];
    for (const path of [gone, kept]) mkdirSync(path);
    const { harness, client } = await withClient();
    await using _ = harness;
    await client.createSession("s-1", { cwd: gone });
    await client.result("add_user_message", { sessionId: "s-1", text: "first", messageId: "m-1" });
    await client.turnEnd("m-1");
    rmSync(gone, { recursive: true });
    expect(await client.loadSession("s-1", { cwd: kept })).toMatchObject({ cwd: kept });
    expect(await client.notified({ type: "session_working_directory_changed" })).toMatchObject({ cwd: kept });
    await client.result("add_user_message", { sessionId: "s-1", text: "second", messageId: "m-2" });
    await client.turnEnd("m-2");
    const starts = harness.spawner.agents.flatMap((agent) => agent.starts);
    expect(starts.map(({ cwd }) => cwd)).toEqual([gone, kept]);
    expect(starts[1]?.resume).toBe("agent-s-1");
    expect((await harness.host.rowOf("s-1")).cwd).toBe(kept);
  });

  test("to the same directory changes nothing", async () => {
    const { harness, client } = await withClient();
    await using _ = harness;
    await client.createSession("s-1");
    await client.loadSession("s-1", { cwd: "/" });
    await client.result("ping", {});
    expect(client.types("s-1")).not.toContain("session_working_directory_changed");
    expect(harness.host.find("s-1")?.agent.isOccupied).toBe(true);
  });

  test("is refused by the rules of a new session, and leaves the session where it was", async () => {
    using scratch = new ScratchDirectory();
    const [root, state] = [join(scratch.path, "root"), join(scratch.path, "root", "state")];
    mkdirSync(state, { recursive: true });
    const key = "a-key-of-the-directory-test";
    const harness = await Harness.start({ keys: [{ key, cwd: [root] }], stateDir: state });
    await using _ = harness;
    const client = harness.dial();
    await client.authenticate({ apiKey: key });
    const id = "5b1d1f0e-3c41-4c2b-9c2f-0d5a4b3c2d1e";
    await client.createSession(id, { cwd: root });
    const move = async (cwd: string) => (await client.call("load_session", { sessionId: id, token: "t", cwd })).error;
    expect(await move(scratch.path)).toMatchObject({ data: { code: "NOT_ALLOWED" } });
    expect(await move(state)).toMatchObject({ code: -32_602 });
    expect(await move(join(scratch.path, "none"))).toMatchObject({ data: { code: "NOT_ALLOWED" } });
    expect((await harness.host.rowOf(id)).cwd).toBe(root);
    expect((await client.call("list_files", { sessionId: id })).result).toEqual({ files: [] });
  });
});

describe("what interfaces ask", () => {
  test("about the directory of a session is answered without its agent, also when that is gone", async () => {
    using scratch = new ScratchDirectory();
    scratch.repository({ "a.txt": "1\n" }, "work");
    const cwd = join(scratch.path, "work");
    const { harness, client } = await withClient();
    await using _ = harness;
    await client.createSession("s-1", { cwd });
    scratch.write("work/a.txt", "2\n");
    const { files } = await client.result("list_files", { sessionId: "s-1", showHidden: false });
    expect(files).toEqual(["a.txt"]);
    const diff = await client.result("get_git_diff", { sessionId: "s-1" });
    expect(diff).toMatchObject({ success: true, data: { branch: "main", unstagedTotalAdditions: 1 } });
    rmSync(cwd, { recursive: true });
    expect(await client.result("get_git_diff", { sessionId: "s-1" })).toMatchObject({
      ...{ success: false, unavailableReason: "missing_session_cwd" },
    });
    const { error } = await client.call("get_git_diff", { sessionId: "none" });
    expect(error?.code).toBe(-32_004);
  });

  test("in too many calls at once is refused by QUEUE_FULL, for that credential only", async () => {
    using scratch = new ScratchDirectory();
    const { harness, client } = await withClient();
    await using _ = harness;
    await client.createSession("s-1", { cwd: scratch.path });
    const calls = await Promise.all(Array.from({ length: 30 }, () => client.call("list_files", { sessionId: "s-1" })));
    const refused = calls.filter(({ error }) => error !== undefined);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every(({ error }) => Reflect.get(Object(error?.data), "code") === "QUEUE_FULL")).toBe(true);
  });

  test("about models is what an agent offered when it last started, and about settings what the key allows", async () => {
    const key = "a-key-of-the-settings-test";
    const harness = await Harness.start({ keys: [{ key, autonomy: "low", agents: ["other"] }] });
    await using _ = harness;
    const models = [{ id: "m-1", displayName: "Model 1" }];
    harness.spawner.onSpawn = (agent) => {
      agent.readyWith = { availableModels: models };
    };
    const person = harness.dial();
    await person.authenticate();
    expect(await person.result("list_models", {})).toEqual({ models: [] });
    expect(await person.result("get_default_settings", {})).toEqual({});
    await person.createSession("s-1");
    expect(await person.result("list_models", {})).toEqual({ models });
    expect(await person.result("get_default_settings", {})).toEqual({ availableModels: models });
    const client = harness.dial();
    await client.authenticate({ apiKey: key });
    expect(await client.result("get_default_settings", {})).toEqual({ autonomyLevel: "off", maxAutonomyLevel: "low" });
    expect((await client.call("list_models", { agent: "fake" })).error?.code).toBe(-32_602);
  });
});
