import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connectDaemon, type DroidStreamEvent } from "@daemon-sdk/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DaemonProcess, startDaemonProcess } from "../support/daemon-process.js";

let daemon: DaemonProcess;
beforeAll(async () => {
  daemon = await startDaemonProcess();
});
afterAll(() => daemon.stop());

test("two sessions resumed on one connection never see each other's events", async () => {
  const ids = await twoSessions();
  await using connection = await connectDaemon();
  const [red, blue] = await Promise.all(ids.map((id) => connection.resumeSession(id)));
  const heard = { red: [] as unknown[], blue: [] as unknown[] };
  red?.onNotification((notification) => heard.red.push(notification));
  blue?.onNotification((notification) => heard.blue.push(notification));
  const [redEvents, blueEvents] = await Promise.all([
    collect(red?.stream("stream 300 of 10 ; then say only-red", { includePartialMessages: true })),
    collect(blue?.stream("stream 300 of 10 ; then say only-blue", { includePartialMessages: true })),
  ]);
  for (const [mine, others] of [
    [[redEvents, heard.red], "only-blue"],
    [[blueEvents, heard.blue], "only-red"],
  ] as const) {
    expect(JSON.stringify(mine)).not.toContain(others);
  }
  expect(redEvents.filter((event) => event.type === "result")).toHaveLength(1);
  expect(blueEvents.filter((event) => event.type === "result")).toHaveLength(1);
});

test("each permission request is answered exactly once, by the handler of its own session", async () => {
  const ids = await twoSessions();
  await using connection = await connectDaemon();
  const asked: string[] = [];
  const sessions = await Promise.all(
    ids.map((id, index) =>
      connection.resumeSession(id, {
        permissionHandler(request) {
          expect(request.sessionId).toBe(id);
          asked.push(`${index}: ${JSON.stringify(request.toolUses[0]?.toolUse.input)}`);
          return "proceed_once";
        },
      }),
    ),
  );
  const resolved: unknown[] = [];
  for (const session of sessions) {
    session.onNotification((notification) => resolved.push(notification.requestId), { type: "permission_resolved" });
  }
  await Promise.all(sessions.map((session, index) => collect(session.stream(`write from-${index}.txt: ${index}`))));
  expect(asked).toHaveLength(2);
  for (const index of [0, 1]) {
    expect(asked.filter((line) => line.startsWith(`${index}: `) && line.includes(`from-${index}.txt`))).toHaveLength(1);
    expect(readFileSync(join(daemon.workspace, `from-${index}.txt`), "utf8").trim()).toBe(String(index));
  }
  expect(new Set(resolved).size).toBe(2);
  expect(resolved).toHaveLength(2);
});

test("a request that nobody can answer waits, and another connection finds it and answers it", async () => {
  await using first = await connectDaemon();
  const session = await first.createSession({ cwd: daemon.workspace, autonomyLevel: "off" });
  const asked = new Promise<void>((resolve) => {
    session.onNotification(({ newState }) => newState === "waiting_for_tool_confirmation" && resolve(), {
      type: "droid_working_state_changed",
    });
  });
  await session.send("write waited.txt: patience");
  await asked;
  await first.close();

  await using second = await connectDaemon();
  await using again = await second.resumeSession(session.sessionId);
  const [pending] = again.getPendingPermissionRequests();
  expect(pending?.toolUses[0]?.confirmationType).toBe("create");
  const ended = new Promise<unknown>((resolve) => {
    again.onNotification(({ reason }) => resolve(reason), { type: "agent_turn_completed" });
  });
  await again.respondToPermission(pending?.requestId ?? "", "proceed_once");
  expect(await ended).toBe("completed");
  expect(readFileSync(join(daemon.workspace, "waited.txt"), "utf8").trim()).toBe("patience");
});

test("two clients on one session both hear all of a turn, at the same positions", async () => {
  await using first = await connectDaemon();
  await using second = await connectDaemon();
  await using writer = await first.createSession({ cwd: daemon.workspace });
  const reader = await second.resumeSession(writer.sessionId);
  const heard: string[] = [];
  const done = new Promise<void>((resolve) => {
    reader.onNotification((notification) => {
      heard.push(notification.type);
      if (notification.type === "agent_turn_completed") resolve();
    });
  });
  const mine: string[] = [];
  writer.onNotification((notification) => mine.push(notification.type));
  await collect(writer.stream("stream 50 of 5"));
  await done;
  expect(heard).toEqual(mine.slice(0, heard.length));
  expect(heard.filter((type) => type === "assistant_text_delta")).toHaveLength(50);
  await reader.detach();
});

/** Two sessions, left alone in the daemon. */
async function twoSessions(): Promise<string[]> {
  await using connection = await connectDaemon();
  const options = { cwd: daemon.workspace, autonomyLevel: "off" } as const;
  const sessions = await Promise.all([connection.createSession(options), connection.createSession(options)]);
  await Promise.all(sessions.map((session) => session.detach()));
  return sessions.map((session) => session.sessionId);
}

async function collect(stream: AsyncIterable<DroidStreamEvent> | undefined): Promise<DroidStreamEvent[]> {
  const events: DroidStreamEvent[] = [];
  for await (const event of stream ?? []) events.push(event);
  return events;
}
