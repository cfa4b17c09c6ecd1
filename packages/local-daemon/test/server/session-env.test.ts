import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import type { DaemonConfig } from "../../src/server.js";
import { agentConfig, type DaemonDesk, daemonDesk } from "./daemon-desk.js";

const KEY = "a-key-of-the-test-0";
const S = "5a000000-0000-4000-8000-00000000000a";
const SECRET = "the-secret-of-the-caller";
const { agents } = agentConfig();

const config: DaemonConfig = {
  agents: { "workspace-agent": { command: agents?.["workspace-agent"]?.command ?? ["false"], allowEnv: ["MY_TOKEN"] } },
};

function init(desk: DaemonDesk, env: object, sessionId = S): object {
  return { token: "t", machineId: "m", cwd: desk.cwd, sessionId, env, autonomyLevel: "high" };
}

async function said(client: Awaited<ReturnType<DaemonDesk["connect"]>>, messageId: string): Promise<string> {
  await client.call("add_user_message", { sessionId: S, text: `run echo "<$MY_TOKEN>"`, messageId });
  await client.turnEnd(messageId);
  return JSON.stringify(client.notifications(S).filter(({ type }) => type === "tool_result"));
}

test("a session's agent gets the variables that its configuration allows; no file and no line of the log has their values", async () => {
  await using desk = daemonDesk();
  const lines: unknown[] = [];
  const note = (...line: unknown[]) => void lines.push(line);
  const logger: Logger = { debug: note, info: note, warn: note, error: note };
  const daemon = await desk.start({ ...config, logger });
  const client = await desk.connect();
  await client.result("initialize_session", init(desk, { MY_TOKEN: SECRET }));
  expect(await said(client, "m1")).toContain("<the-secret-of-the-caller>");
  await client.result("close_session", { sessionId: S });
  await daemon.close();
  expect(JSON.stringify(lines)).not.toContain('MY_TOKEN":"the-secret');
  const row = new RegExp(`"MY_TOKEN":\\s*"${SECRET}"`);
  for (const name of readdirSync(desk.stateDir)) {
    const path = join(desk.stateDir, name);
    if (/^daemon\.db/.test(name)) expect(readFileSync(path, "latin1")).not.toMatch(row);
  }
});

test("a name that the configuration does not allow is refused by name", async () => {
  await using desk = daemonDesk();
  await desk.start(config);
  const client = await desk.connect();
  const { error } = await client.call("initialize_session", init(desk, { MY_TOKEN: SECRET, LD_PRELOAD: "/x.so" }));
  expect(error?.data).toMatchObject({ code: "NOT_ALLOWED" });
  expect(error?.message).toContain('"LD_PRELOAD"');
  expect(error?.message).toContain("allowEnv: MY_TOKEN");
  expect(JSON.stringify(error)).not.toContain(SECRET);
});

test("a key with a bounded autonomy sets none", async () => {
  await using desk = daemonDesk();
  await desk.start({ ...config, apiKeys: [{ key: KEY, autonomy: "low" }] });
  const client = await desk.connect({ apiKey: KEY });
  const params = { ...init(desk, { MY_TOKEN: SECRET }), autonomyLevel: "low" };
  const { error } = await client.call("initialize_session", params);
  expect(error).toMatchObject({ data: { code: "NOT_ALLOWED" }, message: expect.stringContaining("allows no env") });
});

test("after a restart the agent is started without them, and the session says so by name", async () => {
  await using desk = daemonDesk();
  const daemon = await desk.start(config);
  const first = await desk.connect();
  await first.result("initialize_session", init(desk, { MY_TOKEN: SECRET }));
  await daemon.close();
  await desk.start(config);
  const client = await desk.connect();
  await client.result("load_session", { sessionId: S, token: "t" });
  expect(await said(client, "m2")).toContain("<>");
  const notice = await client.notified({ type: "session_notice", code: "SESSION_ENV_LOST" });
  expect(notice.message).toContain("MY_TOKEN");
});
