import type { Logger } from "@daemon-sdk/protocol";
import { silentLogger } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { daemonDesk } from "./daemon-desk.js";

const KEY = "a-key-with-a-name-of-its-own";

test("the life of a turn and of a client is in the log, without a word of either", async () => {
  const lines: { message: string; fields: Record<string, unknown> }[] = [];
  const info = (fields: object, message: string) => void lines.push({ message, fields: { ...fields } });
  const logger: Logger = { ...silentLogger, info };
  await using desk = daemonDesk();
  await desk.start({ logger, apiKeys: [{ key: KEY, name: "ci" }] });
  const client = await desk.connect({ apiKey: KEY });
  const { result } = await client.call("initialize_session", { token: "t", machineId: "m", cwd: desk.cwd });
  const session = result.sessionId;
  await client.call("add_user_message", { sessionId: session, text: "say a secret", messageId: "m1" });
  await client.turnEnd("m1");
  client.close();
  const left = () => lines.find(({ message }) => message === "a client left");
  await expect.poll(left, { interval: 5, timeout: 4_000 }).toBeDefined();

  const turn = { session, turn: "m1", agent: "workspace-agent", principal: "ci" };
  const of = (message: string) => lines.filter((line) => line.message === message).map(({ fields }) => fields);
  expect(of("a turn was accepted")).toEqual([{ ...turn, bytes: expect.any(Number) }]);
  expect(of("a turn was handed to its agent")).toEqual([{ ...turn, waitMs: expect.any(Number) }]);
  expect(of("a turn ended")).toEqual([{ ...turn, reason: "completed", durationMs: expect.any(Number) }]);
  const who = { connection: expect.anything(), peer: "test", principal: "ci" };
  expect(of("a client connected")).toEqual([who]);
  expect(left()?.fields).toEqual({ ...who, durationMs: expect.any(Number) });
  expect(JSON.stringify(lines)).not.toContain("secret");
});
