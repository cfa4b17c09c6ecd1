import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { ConfiguredKey, KeyPolicy } from "../../src/access/key-policy.js";
import { MemoryStore } from "../../src/storage/memory-store.js";
import { Harness, type HarnessOptions, type TestClient } from "../sessions/harness.js";

const KEY = "a-key-with-a-policy-0";
const S = "5a000000-0000-4000-8000-00000000000a";
const S2 = "5a000000-0000-4000-8000-00000000000b";
const OPTIONS = ["proceed_once", "proceed_always", "proceed_auto_run_low", "proceed_auto_run_high", "cancel"];

/** A daemon with one key of that policy, a client of the key, and one of the person. */
async function withPolicy(policy: KeyPolicy, options: HarnessOptions = {}) {
  const keys: ConfiguredKey[] = [{ key: KEY, name: "ci", ...policy }];
  const harness = await Harness.start({ ...options, keys });
  const client = harness.dial();
  const greeting = await client.authenticate({ apiKey: KEY });
  return { harness, client, greeting, person: await harness.connect(), [Symbol.asyncDispose]: () => end(harness) };
}

const end = (harness: Harness) => harness[Symbol.asyncDispose]();

/** Why a call was refused: its stable code, and its message. */
async function refusal(client: TestClient, method: string, params: object): Promise<string> {
  const { error } = await client.call(method, params);
  const data = error?.data as { code?: string } | undefined;
  return `${data?.code}: ${error?.message}`;
}

function init(extra: object = {}): object {
  return { token: "t", machineId: "m", cwd: "/", sessionId: S, ...extra };
}

/** Directories of one test. */
function places(): Disposable & Record<"inside" | "outside" | "state" | "base", string> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "daemon-sdk-policy-")));
  const at = (name: string) => join(base, name);
  for (const name of ["inside/deep", "outside", "state/agents"]) mkdirSync(at(name), { recursive: true });
  return {
    ...{ base, inside: at("inside"), outside: at("outside"), state: at("state") },
    [Symbol.dispose]: () => rmSync(base, { recursive: true, force: true }),
  };
}

test("sessions of a key work below its roots; a link, another spelling and a missing directory are refused alike", async () => {
  using place = places();
  await using desk = await withPolicy({ cwd: [place.inside] });
  symlinkSync(place.outside, join(place.inside, "link"));
  for (const cwd of [
    ...[place.outside, "/", `${place.inside}-not`, join(place.inside, "..", "outside")],
    ...[join(place.inside, "link"), join(place.inside, "missing")],
  ]) {
    expect(await refusal(desk.client, "initialize_session", init({ cwd })), cwd).toMatch(/^NOT_ALLOWED: cwd must be/);
  }
  await desk.client.createSession(S, { cwd: join(place.inside, "deep") });
  // Those of the person are not bounded by it.
  await desk.person.createSession("s-p", { cwd: place.outside });
});

test("a root is compared after links were followed", async () => {
  using place = places();
  symlinkSync(place.inside, join(place.base, "alias"));
  await using desk = await withPolicy({ cwd: [join(place.base, "alias")] });
  const cwd = join(place.inside, "deep");
  expect(await desk.client.createSession(S, { cwd })).toMatchObject({ cwd });
});

test("a root that is written with ~ is in the home directory", async () => {
  using place = places();
  vi.stubEnv("HOME", place.base);
  await using desk = await withPolicy({ cwd: ["~/inside"] });
  await desk.client.createSession(S, { cwd: "inside/deep" });
  expect(await refusal(desk.client, "initialize_session", init({ cwd: "outside" }))).toMatch(/^NOT_ALLOWED/);
  vi.unstubAllEnvs();
});

test("no session works in the state directory, the person's neither, also through a link", async () => {
  using place = places();
  await using desk = await withPolicy({}, { stateDir: place.state });
  symlinkSync(join(place.state, "agents"), join(place.inside, "link"));
  for (const client of [desk.client, desk.person]) {
    for (const cwd of [
      place.state,
      join(place.state, "agents"),
      join(place.inside, "link"),
      `/proc/self/root${place.state}`,
    ]) {
      expect(await refusal(client, "initialize_session", init({ cwd })), cwd).toMatch(
        /^INVALID_PARAMS: cwd must not be inside the daemon's state directory/,
      );
    }
  }
  // What holds the state directory is a home directory, in which people work.
  await desk.person.createSession("s-p", { cwd: place.base });
});

test("a directory that became a link out of the roots starts no agent any more", async () => {
  using place = places();
  await using desk = await withPolicy({ cwd: [place.inside] });
  const cwd = join(place.inside, "deep");
  await desk.client.createSession(S, { cwd });
  (await desk.harness.spawner.agentOf(S)).die();
  rmSync(cwd, { recursive: true });
  symlinkSync(place.outside, cwd);
  expect(await refusal(desk.client, "list_skills", { sessionId: S })).toMatch(/^NOT_ALLOWED: cwd must be/);
});

test("a key has its agents only: they are those it is offered, and the first is its default", async () => {
  await using desk = await withPolicy({ agents: ["other"] });
  expect(desk.greeting.result).toMatchObject({ capabilities: { agents: ["other"] } });
  expect(await refusal(desk.client, "initialize_session", init({ agent: "fake" }))).toBe(
    "NOT_ALLOWED: The policy of ci allows the agents other only.",
  );
  await desk.client.createSession(S);
  expect((await desk.harness.spawner.agentOf(S)).spec.name).toBe("other");
  await desk.person.createSession("s-p", { agent: "fake" });
});

test("a key's sessions start with autonomy off, and get no more than its policy allows", async () => {
  await using desk = await withPolicy({ autonomy: "low" });
  const { client, person } = desk;
  for (const autonomyLevel of ["medium", "high", "whatever"]) {
    expect(await refusal(client, "initialize_session", init({ autonomyLevel }))).toMatch(
      /^NOT_ALLOWED: .* low at most/,
    );
  }
  await client.createSession(S);
  const agent = await desk.harness.spawner.agentOf(S);
  expect(agent.starts[0]?.settings).toMatchObject({ autonomyLevel: "off" });
  // The policy is that of the session, whoever asks.
  for (const asking of [client, person]) {
    expect(await refusal(asking, "update_session_settings", { sessionId: S, autonomyLevel: "high" })).toMatch(
      /^NOT_ALLOWED/,
    );
  }
  await client.result("update_session_settings", { sessionId: S, autonomyLevel: "low" });
  expect(agent.calls.map(({ params }) => params.autonomyLevel)).toEqual(["low"]);
});

test.each<[string, string, object]>([
  ["a param that lets the agent ask nobody", "initialize_session", init({ skipPermissionsUnsafe: true })],
  ["the former name of the autonomy", "initialize_session", init({ autonomyMode: "auto-high" })],
  ["a mode with its own autonomy", "initialize_session", init({ interactionMode: "mission" })],
  [
    "an MCP server, which is a command",
    "initialize_session",
    init({ mcpServers: [{ name: "x", command: "sh", args: [] }] }),
  ],
  [
    "an MCP server of a loaded session",
    "load_session",
    { sessionId: S2, token: "t", mcpServers: [{ name: "x", command: "sh", args: [] }] },
  ],
  ["an MCP server that is added", "add_mcp_server", { sessionId: S2, name: "x", type: "stdio", command: "sh" }],
  ["settings that only the agent knows", "update_session_settings", { sessionId: S2, skipPermissionsUnsafe: true }],
  ["a prompt's param that only the agent knows", "add_user_message", { sessionId: S2, text: "x", autonomy: "high" }],
  [
    "files that the agent deletes unasked",
    "execute_rewind",
    { sessionId: S2, messageId: "m", filesToRestore: [], filesToDelete: [{ filePath: "/x" }], forkTitle: "x" },
  ],
])("autonomy below high leaves no way around it: %s", async (_what, method, params) => {
  await using desk = await withPolicy({ autonomy: "medium" });
  await desk.client.createSession(S2);
  expect(await refusal(desk.client, method, params)).toMatch(/^NOT_ALLOWED: The policy of ci allows /);
});

test("what changes no permission still goes to the agent of such a key", async () => {
  await using desk = await withPolicy({ autonomy: "off" });
  await desk.client.createSession(S, { systemPrompt: "Be brief.", mcpServers: [] });
  const agent = await desk.harness.spawner.agentOf(S);
  expect(agent.starts[0]).toMatchObject({ params: { systemPrompt: "Be brief." } });
  await desk.client.result("list_skills", { sessionId: S });
});

/** A permission request of a key's session, as its client and the person see it. */
async function asked(policy: KeyPolicy) {
  const desk = await withPolicy(policy);
  await desk.client.createSession(S);
  const agent = await desk.harness.spawner.agentOf(S);
  await desk.client.call("add_user_message", { sessionId: S, text: "Hi", messageId: "m-1" });
  await agent.prompted(1);
  const options = OPTIONS.map((value) => ({ value, label: value }));
  agent.ask("request_permission", { toolUses: [], options });
  const { id } = await desk.client.request("request_permission");
  const answer = (client: TestClient, selectedOption: string) =>
    refusal(client, "answer_request", { requestId: id, result: { selectedOption } });
  return { ...desk, desk, agent, answer, id: String(id) };
}

test("a key that is confined cannot approve what its agents ask for; the person can", async () => {
  const { desk, client, person, agent, answer, id } = await asked({ autonomy: "low" });
  await using _desk = desk;
  expect(await answer(client, "proceed_once")).toBe("NOT_ALLOWED: The policy of ci leaves approvals to the person.");
  client.respond(id, { selectedOption: "proceed_always" });
  await client.call("list_opened_sessions", {});
  expect(agent.answers).toEqual([]);
  expect(desk.harness.inbox.invalidAnswers).toBe(1);
  // Nor does anybody let the agent go on with more autonomy than the policy allows.
  expect(await answer(person, "proceed_auto_run_high")).toMatch(
    /^NOT_ALLOWED: .* does not allow proceed_auto_run_high/,
  );
  await person.result("answer_request", { requestId: id, result: { selectedOption: "proceed_auto_run_low" } });
  expect(agent.answers).toMatchObject([{ selectedOption: "proceed_auto_run_low" }]);
});

test("a key that is confined can refuse, and one that may approve approves", async () => {
  const refusing = await asked({ autonomy: "low" });
  await using _refusing = refusing.desk;
  expect(await refusing.answer(refusing.client, "cancel")).toBe("undefined: undefined");
  const approving = await asked({ autonomy: "low", approves: true });
  await using _approving = approving.desk;
  expect(await approving.answer(approving.client, "proceed_auto_run_high")).toMatch(/^NOT_ALLOWED/);
  expect(await approving.answer(approving.client, "proceed_once")).toBe("undefined: undefined");
});

test("a policy that is narrower after a restart holds for the sessions of before", async () => {
  const store = new MemoryStore();
  const mcpServers = [{ name: "x", command: "sh", args: [] }];
  {
    await using desk = await withPolicy({}, { store });
    await desk.client.createSession(S, {
      autonomyLevel: "high",
      skipPermissionsUnsafe: true,
      systemPrompt: "x",
      mcpServers,
    });
  }
  {
    await using desk = await withPolicy({ autonomy: "low" }, { store });
    await desk.client.result("list_skills", { sessionId: S });
    const [start] = (await desk.harness.spawner.agentOf(S)).starts;
    expect(start).toEqual({
      sessionId: S,
      cwd: "/",
      settings: { autonomyLevel: "low" },
      params: { systemPrompt: "x" },
    });
  }
  await using desk = await withPolicy({ agents: ["other"] }, { store });
  expect(await refusal(desk.client, "list_skills", { sessionId: S })).toMatch(/^NOT_ALLOWED: .* agents other only/);
});

test("quotas of a key bound it by name and number, and nobody else", async () => {
  const quotas = { openSessions: 1, liveAgents: 1, tickets: 2 };
  await using desk = await withPolicy({ quotas }, { limits: { agentWaitMs: 10 } });
  await desk.client.createSession(S);
  expect(await refusal(desk.client, "initialize_session", init({ sessionId: S2 }))).toMatch(
    /^SESSION_STATE: 1 sessions of this key are open already \(quotas\.openSessions\)/,
  );
  for (let n = 0; n < 2; n++) await desk.client.result("create_ticket", {});
  expect(await refusal(desk.client, "create_ticket", {})).toMatch(/^QUEUE_FULL: 2 tickets .* \(quotas\.tickets\)/);
  for (let n = 0; n < 3; n++) await desk.person.createSession(`s-${n}`);
  await desk.person.result("create_ticket", {});
});

test("the quota of live agents names itself while an agent waits", async () => {
  await using desk = await withPolicy({ quotas: { liveAgents: 1 } }, { limits: { agentWaitMs: 10 } });
  await desk.client.createSession(S, { disableInactivityTimeout: true });
  await desk.client.createSession(S2);
  expect(await refusal(desk.client, "list_skills", { sessionId: S2 })).toMatch(
    /^AGENTS_BUSY: .* At most 1 agents of this key run \(quotas\.liveAgents\)/,
  );
  await desk.person.createSession("s-p");
});
