import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DaemonProcess, startDaemonProcess } from "../../../test/support/daemon-process.js";
import { type BotProcess, startBot } from "./bot-process.js";
import { FakeLinear } from "./fake-linear.js";

let daemon: DaemonProcess;
let linear: FakeLinear;
let env: Record<string, string>;

beforeAll(async () => {
  daemon = await startDaemonProcess();
  linear = await FakeLinear.start();
  env = { ...linear.env, WORKSPACE: daemon.workspace, OUTBOX: join(daemon.stateDir, "outbox.json") };
});

afterAll(async () => {
  await linear[Symbol.asyncDispose]();
  await daemon.stop();
});

const start = (): Promise<BotProcess> => startBot("linear-agent", env);

test("an issue becomes a session: a thought, each tool as an action, and the answer as the response", async () => {
  await using agent = await start();
  const answer = await linear.created(agent.port, "issue-1", "think What is it?\nread notes.md\nsay Solved.");
  expect(answer.status).toBe(200);
  await linear.until("issue-1", "response");
  expect(linear.activitiesOf("issue-1")).toEqual([
    "thought: Reading.",
    "action: Read",
    "thought: What is it?",
    expect.stringMatching(/^response: [\s\S]*The answer is 42[\s\S]*Solved\.$/),
  ]);
});

test("webhooks that Linear did not sign, or signed long ago, are refused", async () => {
  await using agent = await start();
  const event = { action: "created", agentSession: { id: "issue-2" }, promptContext: "say No." };
  const refused = await linear.send(agent.port, event, { secret: "another" });
  const late = await linear.send(agent.port, event, { ageMs: 120_000 });
  expect([refused.status, late.status]).toEqual([401, 401]);
  expect(linear.activitiesOf("issue-2")).toEqual([]);
});

test("a question and a permission are elicitations, and the person's next prompts answer them", async () => {
  await using agent = await start();
  await linear.created(agent.port, "issue-3", "ask Which colour? red | blue\nrun echo yes > allowed.txt");
  const question = await linear.until("issue-3", "elicitation");
  expect(question.signalMetadata?.options.map(({ value }) => value)).toEqual(["red", "blue"]);
  await linear.prompted(agent.port, "issue-3", "prompt-1", "blue");
  const permission = await linear.until("issue-3", "elicitation", /Execute/);
  expect(permission.signalMetadata?.options).toContainEqual({ label: "No", value: "cancel" });
  await linear.prompted(agent.port, "issue-3", "prompt-2", "Yes, this once");
  const { content } = await linear.until("issue-3", "response");
  expect(content.body).toContain("exited with code 0");
  expect(existsSync(join(daemon.workspace, "allowed.txt"))).toBe(true);
});

test("killed in the middle of a turn, it goes on after its last activity, and shows none twice", async () => {
  const agent = await start();
  await linear.created(agent.port, "issue-4", "list\ncount 30 every 50\nread notes.md");
  await linear.until("issue-4", "action", /LS/);
  await agent.kill();
  await using again = await start();
  await linear.created(again.port, "issue-4", "list\ncount 30 every 50\nread notes.md");
  await linear.until("issue-4", "response", /42/);
  const shown = linear.activitiesOf("issue-4").map((line) => line.slice(0, 9));
  expect(shown).toEqual(["thought: ", "action: L", "action: R", "response:"]);
});

test("a later prompt continues the session, and the signal `stop` ends its turn", async () => {
  await using agent = await start();
  await linear.created(agent.port, "issue-5", "say First.");
  await linear.until("issue-5", "response");
  await linear.prompted(agent.port, "issue-5", "prompt-3", "list\ncount 1000 every 50");
  await linear.until("issue-5", "action", /LS/);
  await linear.prompted(agent.port, "issue-5", "prompt-4", "", "stop");
  const responses = () => linear.activitiesOf("issue-5").filter((line) => line.startsWith("response: "));
  await linear.shown.until(() => responses().length === 2);
  expect(responses()[0]).toBe("response: First.");
});
