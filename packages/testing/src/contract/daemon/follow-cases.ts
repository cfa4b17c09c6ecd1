import { expectEqual, expectThat } from "../expectation.js";
import { isNotification, type WireNotification, type WirePosition } from "../wire-frame.js";
import { answerOf, asked } from "./asking.js";
import { daemonCase, type OpenedSession } from "./daemon-bench.js";
import type { DaemonCase } from "./daemon-harness.js";
import { interrupted, showsMessage } from "./turn-marks.js";
import type { WireClient } from "./wire-client.js";

/** docs/protocol.md §9, "Follow": the journal of a session in pages, and calls that wait for what comes. */
export const FOLLOW_CASES: readonly DaemonCase[] = [
  daemonCase(
    "P7.22-awaited-receipts",
    "with waitMs, receipts are answered when the turns have ended, and not later",
    async (bench) => {
      const opened = await bench.session();
      const messageId = await bench.prompt(opened, bench.prompts.endless);
      await opened.client.waitFor((frame) => isNotification(frame, "assistant_text_delta"), "the turn's first words");
      const client = await bench.client();
      const call = { sessionId: opened.sessionId, messageIds: [messageId], waitMs: LONG_MS };
      const id = client.request("get_receipts", call);
      await client.result("list_opened_sessions");
      expectThat(!client.frames.some((frame) => frame.id === id), "the receipt of a running turn is not answered yet");
      await interrupted(bench, opened, messageId);
      const { result } = await client.response(id, "the awaited receipt");
      expectEqual((result?.receipts as { state: string }[] | undefined)?.[0]?.state, "interrupted", "the state");
    },
    ["turns", "receipts", "sessionEvents"],
  ),

  daemonCase(
    "P7.23-prompt-by-id",
    "a prompt and a close reach a session to which the connection is not attached, and do not attach it",
    async (bench) => {
      const opened = await bench.session();
      const { sessionId } = opened;
      const client = await bench.client();
      const messageId = await bench.prompt({ client, sessionId }, bench.prompts.say("by id"));
      await opened.client.turnEnd(messageId);
      await client.result("close_session", { sessionId });
      await opened.client.waitFor((frame) => isNotification(frame, "session_closed"), "the end of the session");
      expectEqual(client.entries(sessionId).length, 0, "entries that the sender was sent");
    },
    ["turns", "sessionEvents"],
  ),

  daemonCase(
    "P9.17-session-events",
    "the events after a position are those of the journal, each once, in order, after a restart, too, and attach nothing",
    async (bench) => {
      const opened = await bench.session();
      const { sessionId } = opened;
      const [first, second] = [bench.prompts.say("first"), bench.prompts.stream(100)];
      await bench.turn(opened, first);
      await bench.turn(opened, second);
      // The end of the last turn is followed by idle.
      const live = eventsSeen(opened);
      await bench.harness.restart?.("killed");
      const client = await bench.client();
      for (const skipped of [0, 1, 7, live.length - 1]) {
        const after = live[skipped - 1] ?? { epoch: opened.position?.epoch ?? 0, seq: opened.position?.seq ?? 0 };
        const read = await eventsAfter(client, sessionId, after);
        expectEqual(
          read.slice(0, live.length - skipped).map(bareEvent),
          live.slice(skipped),
          `events after ${skipped}`,
        );
      }
      expectEqual(client.entries(sessionId).length, 0, "entries that were sent to a client that reads");
    },
    ["turns", "positions", "sessionEvents", "restart"],
  ),

  daemonCase(
    "P9.18-awaited-event",
    "with waitMs, a call at the end of the journal is answered by the next entry, and without one after that time",
    async (bench) => {
      const opened = await bench.session();
      const { sessionId } = opened;
      const client = await bench.client();
      const { events, position } = await page(client, { sessionId });
      expectEqual(events.length, 0, "events without a position");
      const short = client.request("get_session_events", { sessionId, after: position, waitMs: 10 });
      await client.result("list_opened_sessions");
      await bench.harness.passTime?.(10);
      const none = (await client.response(short, "the end of the wait")).result as Page | undefined;
      expectEqual([none?.events.length, none?.position], [0, position], "the page after 10 ms");
      const waiting = client.request("get_session_events", { sessionId, after: position, waitMs: LONG_MS });
      // The daemon has that call by then.
      await client.result("list_opened_sessions");
      await bench.turn(opened, bench.prompts.say("awaited"));
      const { result } = await client.response(waiting, "the awaited event");
      expectEqual((result as Page | undefined)?.events[0]?.seq, position.seq + 1, "the number of the first event");
    },
    ["turns", "positions", "sessionEvents"],
  ),

  daemonCase(
    "P9.19-turn-of-event",
    "each event names the turn that it belongs to, from wherever it is read",
    async (bench) => {
      const opened = await bench.session();
      const { sessionId, client } = opened;
      const ids = [
        await bench.turn(opened, bench.prompts.say("former")),
        await bench.turn(opened, bench.prompts.say("latter")),
      ];
      const start = { epoch: opened.position?.epoch ?? 0, seq: opened.position?.seq ?? 0 };
      const all = await eventsAfter(client, sessionId, start);
      for (const id of ids) {
        const own = all.filter(({ turnId }) => turnId === id).map(({ notification }) => notification);
        expectThat(
          own.some((notification) => showsMessage(id, notification)),
          "the prompt is of its turn",
        );
        expectThat(
          own.some(({ turnId }) => turnId === id),
          "the end of a turn is of it",
        );
        expectThat(
          own.some(({ type }) => type === "assistant_text_delta"),
          "the text of a turn is of it",
        );
      }
      const middle = all.findIndex(({ notification }) => notification.type === "assistant_text_delta");
      const [rest] = await eventsAfter(client, sessionId, all[middle - 1] ?? start);
      expectEqual(rest?.turnId, ids[0], "the turn of an event from the middle");
    },
    ["turns", "positions", "sessionEvents"],
  ),

  daemonCase(
    "P9.21-requests-in-pages",
    "with includeRequests a page has the agent's requests, at their places and with their ids, and none without",
    async (bench) => {
      const { opened, request } = await asked(bench, "question");
      const { client, sessionId, messageId } = opened;
      const start = { epoch: opened.position?.epoch ?? 0, seq: opened.position?.seq ?? 0 };
      client.respond(request.id, answerOf(request));
      await client.turnEnd(messageId);
      const isOpened = ({ notification }: PagedEvent) => notification.type === "request_opened";
      const bare = await eventsAfter(client, sessionId, start);
      expectEqual(bare.filter(isOpened).length, 0, "requests in pages without includeRequests");
      const all = await eventsAfter(client, sessionId, start, { includeRequests: true });
      const [found, ...more] = all.filter(isOpened);
      expectEqual(more.length, 0, "further requests in pages");
      const { type: _type, ...fields } = found?.notification ?? { type: "" };
      const { questions } = request.params ?? {};
      expectEqual(
        { ...fields, params: (fields.params as { questions?: unknown } | undefined)?.questions },
        { requestId: request.id, method: "ask_user", params: questions },
        "the request in the page",
      );
      expectEqual(found?.turnId, messageId, "the turn of the request");
      expectEqual(
        all.filter((event) => !isOpened(event)),
        bare,
        "the other entries",
      );
      const [resolved] = bare.filter(({ notification }) => notification.type === "ask_user_resolved");
      expectThat((found?.seq ?? Number.POSITIVE_INFINITY) < (resolved?.seq ?? 0), "the request precedes its answer");
    },
    ["turns", "positions", "sessionEvents", "inbox"],
  ),

  daemonCase(
    "P9.23-pages-of-runs",
    "with runs a page has the same entries, those of a turn that follow one another as one run",
    async (bench) => {
      const { opened, request } = await asked(bench, "question");
      const { client, sessionId, messageId } = opened;
      const start = { epoch: opened.position?.epoch ?? 0, seq: opened.position?.seq ?? 0 };
      client.respond(request.id, answerOf(request));
      await client.turnEnd(messageId);
      await bench.turn(opened, bench.prompts.stream(100));
      for (const includeRequests of [false, true]) {
        const all = await eventsAfter(client, sessionId, start, { includeRequests });
        const same = await eventsAfter(client, sessionId, start, { includeRequests, runs: true });
        expectEqual(same, all, `entries of runs, includeRequests ${includeRequests}`);
      }
    },
    ["turns", "positions", "sessionEvents", "inbox"],
  ),

  daemonCase(
    "P9.20-missing-events",
    "a page says when entries before it are missing, and holds those that are left",
    async (bench) => {
      const opened = await bench.session();
      const { sessionId, client } = opened;
      const start = { epoch: opened.position?.epoch ?? 0, seq: opened.position?.seq ?? 0 };
      await bench.turn(opened, bench.prompts.say("pruned"));
      await bench.turn(opened, bench.prompts.say("kept"));
      expectEqual((await page(client, { sessionId, after: start })).isIncomplete, undefined, "isIncomplete before");
      await bench.harness.prune?.(sessionId);
      const pruned = await page(client, { sessionId, after: start });
      expectEqual(pruned.isIncomplete, true, "isIncomplete after entries were pruned");
      const after = { ...start, seq: start.seq + 100_000 };
      const beyond = await page(client, { sessionId, after, waitMs: LONG_MS });
      expectEqual([beyond.isIncomplete, beyond.events.length], [true, 0], "isIncomplete and events beyond the end");
      const end = await page(client, { sessionId });
      expectEqual(beyond.position, end.position, "the position to continue at");
    },
    ["turns", "positions", "sessionEvents", "pruning"],
  ),
];

/** Longer than any case. */
const LONG_MS = 60_000;

/** One event of a page of `get_session_events`. */
interface PagedEvent extends WirePosition {
  readonly turnId?: string;
  readonly notification: WireNotification;
}

interface Page {
  readonly events: readonly PagedEvent[];
  readonly runs?: readonly (Omit<PagedEvent, "notification"> & {
    readonly notifications: readonly WireNotification[];
  })[];
  readonly position: WirePosition;
  readonly isIncomplete?: boolean;
}

async function page(client: WireClient, params: object): Promise<Page> {
  return (await client.result("get_session_events", params)) as unknown as Page;
}

/** All events after a position, page by page. */
async function eventsAfter(
  client: WireClient,
  sessionId: string,
  start: WirePosition,
  options: { readonly includeRequests?: boolean; readonly runs?: boolean } = {},
): Promise<PagedEvent[]> {
  const all: PagedEvent[] = [];
  for (let after = { epoch: start.epoch, seq: start.seq }; all.length < 10_000; ) {
    const { events, runs = [], position } = await page(client, { sessionId, after, ...options });
    all.push(...events);
    for (const { notifications, ...place } of runs) {
      notifications.forEach((notification, index) => {
        all.push({ ...place, seq: place.seq + index, notification });
      });
    }
    if (position.seq === after.seq) return all;
    after = position;
  }
  return all;
}

/** The notifications that an attached client has received, with their positions. */
function eventsSeen({ client, sessionId }: OpenedSession): PagedEvent[] {
  return client.entries(sessionId).flatMap(({ _meta, params }) => {
    const notification = params?.notification;
    return notification === undefined ? [] : [{ epoch: _meta?.epoch ?? -1, seq: _meta?.seq ?? -1, notification }];
  });
}

function bareEvent({ epoch, seq, notification }: PagedEvent): PagedEvent {
  return { epoch, seq, notification };
}
