import type { DaemonConnection, FollowedEvent } from "@daemon-sdk/client";
import { DaemonError, type GetSessionMessagesResult } from "@daemon-sdk/protocol";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SessionState } from "../../src/daemon/index.js";

beforeEach(() => {
  vi.stubGlobal("requestAnimationFrame", (draw: () => void) => setTimeout(draw, 0));
});
afterEach(() => {
  vi.unstubAllGlobals();
});

/** A connection with a conversation of pages with one message each, oldest first, and events that are given by hand. */
function connectionOf(pages: string[]) {
  const events: FollowedEvent[] = [];
  let wake = (): void => {};
  const calls: string[] = [];
  let isClosed = false;
  const follow = (_sessionId: string, { signal }: { signal: AbortSignal }) => ({
    begin: Promise.resolve({ epoch: 1, seq: 0 }),
    async *[Symbol.asyncIterator]() {
      while (!signal.aborted) {
        yield* events.splice(0);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  });
  const connection = {
    follow,
    async getSessionMessages(_sessionId: string, { cursor }: { cursor?: string }) {
      const index = cursor === undefined ? pages.length - 1 : Number(cursor);
      const text = pages[index] ?? "";
      const message = { id: text, role: "user", content: [{ type: "text", text }], createdAt: 1, updatedAt: 1 };
      const more = index > 0 ? { hasMore: true, nextCursor: String(index - 1) } : { hasMore: false };
      return { messages: [message], ...more } as unknown as GetSessionMessagesResult;
    },
    async send(_sessionId: string, text: string) {
      calls.push(`send ${text}`);
      if (isClosed) throw new DaemonError("SESSION_CLOSED", "It was closed.");
    },
    async resumeSession() {
      isClosed = false;
      return { detach: async () => void calls.push("detach") };
    },
  };
  return {
    connection: connection as unknown as DaemonConnection,
    calls,
    pages,
    give(event: object) {
      events.push({ position: { epoch: 1, seq: 1 }, ...event } as FollowedEvent);
      wake();
    },
    close() {
      isClosed = true;
    },
  };
}

const textsOf = ({ transcript }: SessionState) => transcript.rows.map((row) => ("text" in row ? row.text : row.kind));

test("behind a gap stands the newest page, and older ones follow in their order", async () => {
  const daemon = connectionOf(["one", "two", "three"]);
  const session = new SessionState(daemon.connection, "s");
  await vi.waitUntil(() => textsOf(session).length > 0);
  daemon.pages.push("four", "five");
  daemon.give({ type: "gap", reason: "too-old" });
  await vi.waitUntil(() => textsOf(session).includes("five"));
  await session.readOlder();
  expect(textsOf(session)).toEqual(["four", "five"]);
  session.close();
});

test("a closed session is opened for a prompt, and nothing stays attached", async () => {
  const daemon = connectionOf(["one"]);
  const session = new SessionState(daemon.connection, "s");
  daemon.close();
  await session.send("more");
  expect(daemon.calls).toEqual(["send more", "detach", "send more"]);
  session.close();
});
