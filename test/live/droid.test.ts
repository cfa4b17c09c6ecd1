import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectDaemon, type DaemonConnection, type DroidStreamEvent } from "@daemon-sdk/client";
import { createDaemon, type Daemon } from "@daemon-sdk/local-daemon/server";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

/**
 * A real droid behind our daemon. It needs the program, a login and a model, so it runs where `DROID_BIN` names the program:
 * `DROID_BIN=$(which droid) npm test -- test/live`.
 */
const { DROID_BIN } = process.env;
const STREAM = ["exec", "--input-format", "stream-jsonrpc", "--output-format", "stream-jsonrpc"] as const;
const TURN_MS = 180_000;

describe.skipIf(DROID_BIN === undefined)(`droid at ${DROID_BIN ?? "DROID_BIN, which is not set: skipped"}`, () => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "live-droid-")));
  let daemon: Daemon;
  let connection: DaemonConnection;

  beforeAll(async () => {
    const droid = { command: [DROID_BIN ?? "", ...STREAM] as const, inheritEnv: ["FACTORY_API_KEY"] };
    daemon = await createDaemon({ stateDir: join(home, "state"), agents: { droid }, defaultAgent: "droid" });
    vi.stubEnv("DAEMON_SDK_HOME", join(home, "state"));
    connection = await connectDaemon();
  });

  afterAll(async () => {
    await connection?.close();
    await daemon?.close({ drainMs: 0 });
    vi.unstubAllEnvs();
    rmSync(home, { recursive: true, force: true });
  });

  test(
    "answers a prompt, in pieces and as a whole",
    async () => {
      await using session = await connection.createSession({ cwd: home });
      const events = await all(
        session.stream("Answer with the one word PINEAPPLE and nothing else.", { includePartialMessages: true }),
      );
      expect(events.map(({ type }) => type)).toContain("assistant_text_delta");
      const result = events.at(-1);
      expect(result).toMatchObject({ type: "result", success: true, subtype: "success" });
      expect(result?.type === "result" && result.text).toContain("PINEAPPLE");
    },
    TURN_MS,
  );

  test(
    "asks before it runs a command, and obeys a refusal",
    async () => {
      const asked: unknown[] = [];
      await using session = await connection.createSession({
        cwd: home,
        autonomyLevel: "off",
        permissionHandler: (request) => {
          asked.push(request);
          return "cancel";
        },
      });
      await all(session.stream("Run this shell command, and no other: touch made-by-droid"));
      expect(asked.length).toBeGreaterThan(0);
      expect(existsSync(join(home, "made-by-droid"))).toBe(false);
    },
    TURN_MS,
  );

  test(
    "ends an interrupted turn once, and takes the next prompt",
    async () => {
      await using session = await connection.createSession({ cwd: home });
      const events: DroidStreamEvent[] = [];
      for await (const event of session.stream("Count from 1 to 500, one number per line.", {
        includePartialMessages: true,
      })) {
        events.push(event);
        if (event.type === "assistant_text_delta" && events.filter(({ type }) => type === event.type).length === 1) {
          await session.interrupt();
        }
      }
      expect(events.filter(({ type }) => type === "result")).toHaveLength(1);
      expect(events.at(-1)).toMatchObject({ type: "result", success: false });
      const next = (await all(session.stream("Answer with the one word MANGO and nothing else."))).at(-1);
      expect(next).toMatchObject({ type: "result", success: true, text: expect.stringContaining("MANGO") });
    },
    TURN_MS,
  );
});

async function all(stream: AsyncIterable<DroidStreamEvent>): Promise<DroidStreamEvent[]> {
  const events: DroidStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}
