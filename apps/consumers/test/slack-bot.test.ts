import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DaemonProcess, startDaemonProcess } from "../../../test/support/daemon-process.js";
import { type BotProcess, startBot } from "./bot-process.js";
import { FakeSlack } from "./fake-slack.js";

/** Uses a tool, and then needs a second and a half. */
const LONG = "list\ncount 30 every 50";

let daemon: DaemonProcess;
let slack: FakeSlack;
let bots = 0;

beforeAll(async () => {
  daemon = await startDaemonProcess();
  slack = await FakeSlack.start();
});

afterAll(async () => {
  await slack[Symbol.asyncDispose]();
  await daemon.stop();
});

/** The environment of one bot; a bot that is started again with it is the same one. */
function newBot(): Record<string, string> {
  return { ...slack.env, WORKSPACE: daemon.workspace, OUTBOX: join(daemon.stateDir, `outbox-${bots++}.json`) };
}

const start = (env: Record<string, string>): Promise<BotProcess> => startBot("slack-bot", env);

test("a thread is a session; a message is acknowledged within 3 s and answered once, however often it is delivered", async () => {
  await using bot = await start(newBot());
  const before = performance.now();
  const acknowledged = await slack.say(bot.port, "Ev1", "10.1", "say The first.");
  expect(performance.now() - before).toBeLessThan(3_000);
  expect(acknowledged.status).toBe(200);
  await slack.say(bot.port, "Ev1", "10.1", "say The first.");
  await slack.posts.until(({ text }) => text === "The first.");
  await slack.say(bot.port, "Ev1", "10.1", "say The first.");
  await slack.say(bot.port, "Ev2", "10.2", "say Elsewhere.");
  await slack.say(bot.port, "Ev3", "10.1", "recall");
  await slack.posts.until(({ text }) => text === "Elsewhere.");
  await slack.posts.until(({ text }) => text.includes("say The first."));
  expect(slack.textsOf("10.1")).toHaveLength(2);
  expect(slack.textsOf("10.1")[1]).not.toContain("Elsewhere");
});

test("requests that Slack did not sign, or signed long ago, are refused", async () => {
  await using bot = await start(newBot());
  const body = JSON.stringify({ type: "url_verification", challenge: "abc" });
  const answers = await Promise.all([
    slack.send(bot.port, "/slack/events", body),
    slack.send(bot.port, "/slack/events", body, { secret: "another" }),
    slack.send(bot.port, "/slack/events", body, { ageMs: 600_000 }),
    slack.send(bot.port, "/slack/interactions", "payload=%7B%7D", { secret: "another" }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([200, 401, 401, 401]);
  expect(await answers[0]?.json()).toEqual({ challenge: "abc" });
});

test("killed in the middle of a turn, and down while another message comes, it answers each message once", async () => {
  const env = newBot();
  const bot = await start(env);
  await slack.say(bot.port, "Ev10", "20.1", LONG);
  await slack.statuses.until(({ thread_ts }) => thread_ts === "20.1");
  await bot.kill();
  await expect(slack.say(bot.port, "Ev11", "20.1", "say Second.")).rejects.toThrow();
  await using again = await start(env);
  await slack.say(again.port, "Ev11", "20.1", "say Second.");
  await slack.say(again.port, "Ev10", "20.1", LONG);
  await slack.posts.until(({ text }) => /29 30/.test(text));
  await slack.posts.until(({ text }) => text === "Second.");
  expect(slack.textsOf("20.1")).toHaveLength(2);
});

test("killed while a permission is asked for, its buttons are posted once, and another process takes the click", async () => {
  const env = newBot();
  const bot = await start(env);
  await slack.say(bot.port, "Ev20", "30.1", "run echo yes > allowed.txt");
  const asked = await slack.posts.until(({ thread_ts }) => thread_ts === "30.1");
  await bot.kill();
  await using other = await start(newBot());
  await using again = await start(env);
  await slack.click(other.port, { ...asked }, "Yes, this once");
  await slack.posts.until(({ thread_ts, text }) => thread_ts === "30.1" && /exited with code 0/.test(text));
  expect(existsSync(join(daemon.workspace, "allowed.txt"))).toBe(true);
  const texts = slack.textsOf("30.1");
  expect(texts).toHaveLength(2);
  expect(texts[0]).toContain("says <@U1>");
  expect(again.port).not.toBe(other.port);
});

test("a question is answered by a button, and `stop` ends a turn", async () => {
  await using bot = await start(newBot());
  await slack.say(bot.port, "Ev30", "40.1", "ask Which colour? red | blue");
  const asked = await slack.posts.until(({ thread_ts }) => thread_ts === "40.1");
  await slack.click(bot.port, { ...asked }, "blue");
  await slack.posts.until(({ text }) => /blue/.test(text) && !text.includes("<@U1>"));
  await slack.say(bot.port, "Ev31", "40.1", "list\ncount 1000 every 50");
  await slack.statuses.until(({ thread_ts }) => thread_ts === "40.1");
  await slack.say(bot.port, "Ev32", "40.1", "stop");
  const { thread_ts: stopped } = await slack.posts.until(({ text }) => text.includes("_Stopped._"));
  expect(stopped).toBe("40.1");
});

test("while Slack fails, nothing is cancelled: buttons and answers are posted later", async () => {
  await using bot = await start(newBot());
  slack.failing.posts = 1;
  await slack.say(bot.port, "Ev40", "50.1", "ask Which size? small | large");
  const asked = await slack.posts.until(({ thread_ts }) => thread_ts === "50.1");
  expect(asked.text).toBe("Which size?");
  slack.failing.posts = 1;
  await slack.click(bot.port, { ...asked }, "large");
  await slack.posts.until(({ text }) => text === "You chose large.");
  expect(slack.textsOf("50.1")).toHaveLength(2);
});

test("what the daemon refuses is posted as a failure", async () => {
  await using bot = await start({ ...newBot(), WORKSPACE: join(daemon.workspace, "missing") });
  await slack.say(bot.port, "Ev50", "60.1", "say Never.");
  const { text } = await slack.posts.until(({ thread_ts }) => thread_ts === "60.1");
  expect(text).toMatch(/^_Failed: /);
});
