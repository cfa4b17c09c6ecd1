import { expectEqual, expectThat } from "../expectation.js";
import {
  bare,
  isEndOf,
  runFrom,
  type WireFrame,
  type WireNotification,
  type WirePosition,
  wordFor,
} from "../wire-frame.js";
import { asked, yes } from "./asking.js";
import { type DaemonBench, daemonCase, type OpenedSession } from "./daemon-bench.js";
import type { DaemonCase } from "./daemon-harness.js";
import type { WireClient } from "./wire-client.js";

/** docs/protocol.md §9: flow control for each session. */
export const CREDIT_CASES: readonly DaemonCase[] = [
  daemonCase(
    "P9.10-credit",
    "a session gets as many events as it has credit for, and no more",
    async (bench) => {
      const { opened, follower } = await withCredit(bench, { events: 10, bytes: 1_000_000 });
      await bench.turn(opened, bench.prompts.stream(50));
      await follower.until(() => follower.entries(opened.sessionId).length >= 10, "ten entries");
      await bench.settle(follower);
      expectEqual(follower.entries(opened.sessionId).length, 10, "entries");
    },
    ["turns", "credit"],
  ),

  daemonCase(
    "P9.11-bytes",
    "credit in bytes is consumed, too; the last entry may overdraw it",
    async (bench) => {
      const { opened, follower } = await withCredit(bench, { events: 10_000, bytes: 1_500 });
      await bench.turn(opened, bench.prompts.stream(100));
      await follower.until(() => bytesOf(follower.entries(opened.sessionId)) >= 1_500, "entries of 1500 bytes");
      await bench.settle(follower);
      const entries = follower.entries(opened.sessionId);
      expectThat(bytesOf(entries.slice(0, -1)) < 1_500, `${bytesOf(entries)} bytes came on a credit of 1500`);
    },
    ["turns", "credit"],
  ),

  daemonCase(
    "P9.12-grant",
    "granted credit has the next entries sent, without an answer",
    async (bench) => {
      const { opened, follower } = await withCredit(bench, { events: 5, bytes: 1_000_000 });
      await bench.turn(opened, bench.prompts.stream(50));
      await follower.until(() => follower.entries(opened.sessionId).length === 5, "five entries");
      const answers = responsesOf(follower).length;
      follower.notify("grant_credit", { sessionId: opened.sessionId, events: 7, bytes: 1_000 });
      await follower.until(() => follower.entries(opened.sessionId).length >= 12, "seven more entries");
      await bench.settle(follower);
      const positions = follower.positions(opened.sessionId);
      expectEqual(positions, runFrom(beforeFirst(positions), 12), "positions");
      expectEqual(responsesOf(follower).length, answers + 1, "answers, with that to the call behind the grant");
    },
    ["turns", "credit", "positions"],
  ),

  daemonCase(
    "P9.13-follow",
    "follow_session moves the cursor to the end of the journal",
    async (bench) => {
      const { opened, follower } = await withCredit(bench, { events: 0, bytes: 0 });
      await bench.turn(opened, bench.prompts.stream(20));
      const { sessionId } = opened;
      const { position, workingState, isAgentLoopInProgress } = await follower.result("follow_session", {
        sessionId,
        credit: { events: 999, bytes: 999_999 },
      });
      expectEqual([typeof workingState, typeof isAgentLoopInProgress], ["string", "boolean"], "types of the state");
      await bench.turn(opened, bench.prompts.say("from now"));
      await follower.until(() => follower.entries(sessionId).length >= 3, "entries from now on");
      const positions = follower.positions(sessionId);
      expectEqual(positions, runFrom(position as WirePosition, positions.length), "positions");
    },
    ["turns", "credit", "positions"],
  ),

  daemonCase(
    "P9.14-early",
    "requests and ends are sent early while the cursor has no credit, and again at their place",
    async (bench) => {
      const { opened, follower } = await withCredit(bench, { events: 0, bytes: 0 });
      const messageId = await bench.prompt(opened, bench.prompts.permission);
      const request = await follower.serverRequest(opened.sessionId);
      follower.respond(request.id, { selectedOption: "cancel", sessionId: opened.sessionId });
      const end = await follower.turnEnd(messageId);
      const resolved = await follower.waitFor(
        (frame) => wordFor(frame) === "permission_resolved",
        "permission_resolved",
      );
      for (const { _meta } of [request, end, resolved]) expectEqual(_meta?.early, true, "early of the first copy");
      follower.notify("grant_credit", { sessionId: opened.sessionId, events: 999, bytes: 999_999 });
      const isLast = (frame: WireFrame) => isEndOf(messageId, frame) && frame._meta?.early !== true;
      const again = await follower.waitFor(isLast, "the end at its place");
      expectEqual(bare(again._meta), bare(end._meta), "the place of the end, in both copies");
      const ids = follower.frames.filter(({ type, id }) => type === "request" && id === request.id);
      expectEqual(
        ids.map(({ _meta }) => _meta?.early ?? false),
        [true, false],
        "early of the copies of the request",
      );
    },
    ["turns", "inbox", "credit", "positions"],
  ),

  daemonCase(
    "P9.16-follow-attaches",
    "follow_session attaches a connection, and a pending request that it skips is sent early",
    async (bench) => {
      const { opened, request } = await asked(bench, "permission");
      const { sessionId } = opened;
      const client = await bench.client();
      const credit = { events: 999, bytes: 999_999 };
      const { position } = await client.result("follow_session", { sessionId, credit });
      const early = await client.serverRequest(sessionId);
      expectEqual([early.id, early._meta?.early], [request.id, true], "id and early of the request");
      opened.client.respond(request.id, yes(request));
      await client.until(() => client.entries(sessionId).length > 0, "entries after the position");
      expectEqual(client.positions(sessionId).slice(0, 1), runFrom(position as WirePosition, 1), "first position");
    },
    ["turns", "inbox", "credit", "positions"],
  ),

  daemonCase(
    "P9.22-batches",
    "a client that takes batches gets the same entries at the same places, within its credit, and alone what needs none",
    async (bench) => {
      const { opened, follower } = await withCredit(bench, { events: 12, bytes: 1_000_000, batches: true });
      const { sessionId } = opened;
      const messageId = await bench.turn(opened, bench.prompts.stream(50));
      const paid = () => entriesApart(follower, sessionId).filter((entry) => !isEndOf(messageId, entry));
      await follower.until(() => paid().length >= 12, "twelve entries");
      await bench.settle(follower);
      expectEqual(paid().length, 12, "entries on a credit of 12");
      follower.notify("grant_credit", { sessionId, events: 999, bytes: 999_999 });
      const isLast = (frame: WireFrame) => isEndOf(messageId, frame) && frame._meta?.early !== true;
      await follower.waitFor(isLast, "the end at its place");
      const got = entriesApart(follower, sessionId).map(placeAndText);
      const all = opened.client.entries(sessionId).map(placeAndText);
      const first = all.findIndex(([seq]) => seq === got[0]?.[0]);
      expectEqual(got, all.slice(first, first + got.length), "places and notifications");
    },
    ["turns", "credit", "positions", "batches"],
  ),

  daemonCase(
    "P9.15-unread-too-long",
    "a session whose next entry is gone is detached alone, with a notification",
    async (bench) => {
      const { opened, follower } = await withCredit(bench, { events: 3, bytes: 1_000_000 });
      const { sessionId } = opened;
      const other = await bench.session({ client: follower });
      await bench.turn(opened, bench.prompts.stream(50));
      await follower.until(() => follower.entries(sessionId).length === 3, "three entries");
      await bench.harness.prune?.(sessionId);
      follower.notify("grant_credit", { sessionId, events: 7, bytes: 100_000 });
      const told = await follower.waitFor(
        (frame) => wordFor(frame) === "session_unsubscribed" && frame.params?.sessionId === sessionId,
        "session_unsubscribed",
      );
      expectEqual([told.params?.notification?.code, told._meta], ["RESUME_TOO_OLD", undefined], "code and position");
      await bench.turn(opened, bench.prompts.say("to the others"));
      await bench.turn(other, bench.prompts.say("on this connection"));
      const got = follower.entries(sessionId).filter(({ _meta }) => _meta !== undefined);
      expectEqual(got.length, 3, "entries of the session it was detached from");
      await bench.join(sessionId, { client: follower });
      const messageId = await bench.turn(opened, bench.prompts.say("again"));
      await follower.turnEnd(messageId);
    },
    ["turns", "credit", "positions", "pruning"],
  ),
];

/** A session, and a second connection attached to it with that credit. */
async function withCredit(bench: DaemonBench, credit: { events: number; bytes: number; batches?: true }) {
  const opened: OpenedSession = await bench.session();
  const { client: follower } = await bench.join(opened.sessionId, { params: { credit } });
  return { opened, follower };
}

function beforeFirst([first]: readonly WirePosition[]): WirePosition | undefined {
  return first && { ...first, seq: first.seq - 1 };
}

/** The entries of one session so far, those of a batch one by one. */
function entriesApart(client: WireClient, sessionId: string): WireFrame[] {
  return client.frames.flatMap((frame) => {
    if (frame.params?.sessionId !== sessionId || frame._meta?.early === true) return [];
    const { notifications } = frame.params;
    if (!Array.isArray(notifications)) return frame.method === "daemon.session_notification" ? [frame] : [];
    const { epoch = -1, seq = -1 } = frame._meta ?? {};
    return notifications.map((notification: WireNotification, at) => ({
      ...frame,
      params: { sessionId, notification },
      _meta: { epoch, seq: seq + at },
    }));
  });
}

function placeAndText({ _meta, params }: WireFrame): [seq: number | undefined, text: string] {
  return [_meta?.seq, JSON.stringify(params?.notification)];
}

/** Bytes of entries as they were sent, or slightly less: key order and escapes may differ. */
function bytesOf(entries: readonly WireFrame[]): number {
  return new TextEncoder().encode(entries.map((entry) => JSON.stringify(entry)).join("")).byteLength;
}

function responsesOf(client: WireClient): WireFrame[] {
  return client.frames.filter(({ type }) => type === "response");
}
