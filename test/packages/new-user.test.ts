import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { installPackages, type UserProject } from "../support/installed-packages.js";

const run = promisify(execFile);
/** What the user installs; `client` needs the last one. */
const PACKED = ["protocol", "client", "testing", "transport-ws"];
/** What those depend on, and the runner: taken from this workspace, so that nothing is fetched. */
const INSTALLED: Readonly<Record<string, string>> = {
  zod: "packages/protocol",
  ws: "packages/transport-ws",
  "@standard-schema/spec": "packages/client",
  vitest: ".",
};

/** A bot, and its test: what a new user writes on the first day. */
const BOT = `
import { connectDaemon } from "@daemon-sdk/client";

/** Answers a message of a Slack channel with what the agent says; a channel is a session. */
export async function slackBot({ transport, post }) {
  const connection = await connectDaemon({ transport, apiKey: "xoxb-not-a-real-one" });
  const sessions = new Map();
  return {
    async onMessage(channel, text) {
      if (!sessions.has(channel)) sessions.set(channel, await connection.createSession({ cwd: "/srv/" + channel }));
      for await (const event of sessions.get(channel).stream(text)) if (event.type === "result") post(channel, event.text);
    },
    close: () => connection.close(),
  };
}
`;

const TEST = `
import assert from "node:assert/strict";
import { FakeDaemon } from "@daemon-sdk/testing";
import { slackBot } from "./slack-bot.mjs";

test("the bot answers each channel from a session of its own", async () => {
  const daemon = new FakeDaemon();
  daemon.whenPrompted(/joke/).thinks("A short one.").streams(["Knock, ", "knock."]);
  daemon.whenPrompted(/up/).streams("It is up.");
  const posts = [];
  const bot = await slackBot({ transport: daemon.dial, post: (channel, text) => posts.push(channel + " " + text) });
  await bot.onMessage("general", "is it up?");
  await bot.onMessage("random", "tell a joke");
  await bot.onMessage("general", "still up?");
  await bot.close();
  assert.deepEqual(posts, [
    "general It is up.",
    "random Knock, knock.",
    "general It is up.",
  ]);
  daemon.expectPrompt("still up?");
  const opened = daemon.received.calls("initialize_session").map(({ params }) => params.cwd);
  assert.deepEqual(opened, ["/srv/general", "/srv/random"]);
});
`;

let project: UserProject;
let directory: string;

beforeAll(async () => {
  project = await installPackages(PACKED, INSTALLED);
  directory = project.directory;
  writeFileSync(join(directory, "slack-bot.mjs"), BOT);
  writeFileSync(join(directory, "bot.test.mjs"), `import { test } from "vitest";\n${TEST}`);
  writeFileSync(join(directory, "bot.node-test.mjs"), `import { test } from "node:test";\n${TEST}`);
}, 120_000);

afterAll(() => project[Symbol.asyncDispose]());

test("the packed packages, installed outside the workspace, test a bot under vitest", { timeout: 60_000 }, async () => {
  const program = join(directory, "node_modules", "vitest", "vitest.mjs");
  const { stdout } = await run(process.execPath, [program, "run", "--reporter=json"], { cwd: directory });
  expect(JSON.parse(stdout)).toMatchObject({ numPassedTests: 1, numFailedTests: 0 });
});

test("the packed packages, installed outside the workspace, test a bot under node:test", {
  timeout: 60_000,
}, async () => {
  const env = { ...process.env };
  // Set where a test runs inside another one; with it node:test prints for its parent.
  delete env.NODE_TEST_CONTEXT;
  const { stdout } = await run(process.execPath, ["--test", "--test-reporter=tap", "bot.node-test.mjs"], {
    cwd: directory,
    env,
  });
  expect(stdout).toMatch(/^# pass 1$/m);
  expect(stdout).toMatch(/^# fail 0$/m);
});
