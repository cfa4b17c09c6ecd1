import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type AskUserHandler, connectDaemon, NO_ANSWER } from "@daemon-sdk/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DAEMON_PROGRAM } from "../support/daemon-process.js";

const local = (...args: string[]) => promisify(execFile)(process.execPath, [DAEMON_PROGRAM, ...args]);

let directory: string;

// A daemon of its own, in the background: one that runs in the foreground hands over to no other.
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "daemon-sdk-"));
  process.env.DAEMON_SDK_HOME = join(directory, "state");
  await mkdir(join(directory, "state"), { mode: 0o700 });
  await local("start");
});
afterAll(async () => {
  await local("stop", "--now");
  await rm(directory, { recursive: true });
});

/** What the handler of one program was asked, and the next of it. */
function asked() {
  const all: { requestId: string; isRepeat: boolean }[] = [];
  let took: () => void = () => {};
  const first = new Promise<void>((resolve) => {
    took = resolve;
  });
  const askUserHandler: AskUserHandler = ({ requestId }, { isRepeat }) => {
    all.push({ requestId, isRepeat });
    took();
    return NO_ANSWER;
  };
  return { all, first, askUserHandler };
}

test("a question that waits while the daemon is restarted is a repeat to the next program, under its id, and is not put twice to the same one", async () => {
  const statuses: string[] = [];
  const bot = asked();
  await using connection = await connectDaemon({ onStatus: ({ type }) => statuses.push(type) });
  const { askUserHandler } = bot;
  const session = await connection.createSession({ cwd: directory, askUserHandler });
  const { messageId } = await session.send("ask Which colour? red | blue");
  await bot.first;

  await local("restart");
  const next = asked();
  await using later = await connectDaemon();
  await later.resumeSession(session.sessionId, { askUserHandler: next.askUserHandler, onDispose: "detach" });
  await next.first;
  const [request] = bot.all;
  expect(request?.isRepeat).toBe(false);
  expect(next.all).toEqual([{ requestId: request?.requestId, isRepeat: true }]);

  await later.answerRequest(request?.requestId ?? "", {
    answers: [{ index: 0, question: "Which colour?", answer: "blue" }],
  });
  expect(await session.waitForReceipt(messageId)).toMatchObject({ state: "completed", text: "You chose blue." });
  expect(bot.all).toHaveLength(1);
  expect(statuses.slice(0, 2)).toEqual(["connected", "reconnecting"]);
});
