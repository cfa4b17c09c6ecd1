import fc from "fast-check";
import { expect, test } from "vitest";
import { pageParams, sessionPage } from "../../src/api/session-lists.js";
import { connected, OUR_CAPABILITIES } from "../support.js";

/** The time of every session of the fake daemon. */
const AT = 1_700_000_000_000;

test("the lists have their times in milliseconds, and so has an archived session", async () => {
  const { connection } = await connected({ capabilities: OUR_CAPABILITIES });
  const session = await connection.createSession();
  const { sessionId } = session;
  expect(await connection.listOpenedSessions()).toMatchObject([{ sessionId, updatedAt: AT }]);
  expect(await session.archive()).toEqual({ archivedAt: AT });
  const { sessions } = await connection.listAvailableSessions();
  expect(sessions).toMatchObject([{ sessionId, updatedAt: AT, archivedAt: AT }]);
  expect(await connection.archiveSession(sessionId)).toEqual({ archivedAt: AT });
  await connection.close();
});

test("`endBefore` is sent in seconds, as the wire has it", async () => {
  const { daemon, connection } = await connected();
  await connection.listAvailableSessions({ limit: 2, endBefore: AT + 1 });
  const { params } = await daemon.waitForRequest("list_available_sessions");
  expect(params).toEqual({ limit: 2, endBefore: AT / 1_000 + 0.001 });
  await connection.close();
});

test("a cursor comes back to the daemon as it was", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (ms) => {
      const nextCursor = ms / 1_000;
      const page = sessionPage({ sessions: [], hasMore: true, nextCursor });
      expect(page.nextCursor).toBe(ms);
      expect(pageParams({ endBefore: ms })).toEqual({ endBefore: nextCursor });
    }),
  );
});
