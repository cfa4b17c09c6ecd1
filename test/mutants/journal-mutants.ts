import type { DaemonMutant } from "./daemon-mutants.js";
import { isCall, isResultOf, refusedOf, tells, withResult } from "./frames.js";
import type { Frame, SinfulWire } from "./sinful-daemon.js";
import { hears, says } from "./sins.js";

function withMeta(frame: Frame, change: (meta: { epoch: number; seq: number }) => object): Frame {
  const { _meta } = frame;
  return typeof _meta?.seq === "number"
    ? { ...frame, _meta: { ..._meta, ...change(_meta as { epoch: number; seq: number }) } }
    : frame;
}

function withParams(frame: Frame, params: object): Frame {
  return { ...frame, params: { ...frame.params, ...params } };
}

const hasResumed = (wire: SinfulWire) => [...wire.requests.values()].some((frame) => isCall(frame, "resume_session"));
const hasFollowed = (wire: SinfulWire) => [...wire.requests.values()].some((frame) => isCall(frame, "follow_session"));
const isThirty = (frame: Frame) => frame.params?.notification?.textDelta === "30 ";

interface PagedEvent {
  readonly turnId?: string;
  readonly notification?: { readonly textDelta?: string };
}

/** Changes the events of every page of `get_session_events`. */
function inPages(change: (event: PagedEvent, index: number) => PagedEvent[]) {
  return (frame: Frame, wire: SinfulWire): Frame =>
    withResult(frame, wire, "get_session_events", (page) => ({
      ...page,
      events: (page.events as PagedEvent[]).flatMap(change),
    }));
}

/** Sins against docs/protocol.md §9. */
export const JOURNAL_MUTANTS: readonly DaemonMutant[] = [
  {
    sin: "reuses a position",
    caughtBy: ["P9.1", "P9.3", "P9.5", "P9.17", "P9.22"],
    make: says((frame) => (isThirty(frame) ? withMeta(frame, ({ seq }) => ({ seq: seq - 1 })) : frame)),
  },
  {
    sin: "skips an entry",
    caughtBy: ["P9.1", "P7.3", "P9.3", "P7.19", "P9.17", "P9.22"],
    make: () => ({ says: (frame) => (isThirty(frame) ? [] : [frame]) }),
  },
  {
    sin: "counts for each connection by itself",
    caughtBy: ["P9.2", "P9.3", "P9.8", "P9.13"],
    make: says((frame, wire) =>
      wire.joined.size > 0 && tells(frame, "session_token_usage_changed")
        ? withMeta(frame, ({ seq }) => ({ seq: seq - 1 }))
        : frame,
    ),
  },
  {
    sin: "tells a snapshot's position one too early",
    caughtBy: ["P9.3"],
    make: says((frame, wire) =>
      withResult(frame, wire, "load_session", (result) => {
        const { epoch, seq } = result.position as { epoch: number; seq: number };
        return { ...result, position: { epoch, seq: seq - 1 } };
      }),
    ),
  },
  {
    sin: "keeps its epoch over a restart",
    caughtBy: ["P9.4"],
    make() {
      const first = new Map<unknown, number>();
      return {
        says(frame) {
          const { sessionId } = frame.params ?? {};
          const { epoch } = (frame._meta ?? {}) as { epoch?: number };
          if (epoch !== undefined && !first.has(sessionId)) first.set(sessionId, epoch);
          return [withMeta(frame, () => ({ epoch: first.get(sessionId) }))];
        },
      };
    },
  },
  {
    sin: "repeats the entry that a client names when it comes back",
    caughtBy: ["P9.5"],
    make: hears((frame) => {
      const { after } = frame.params ?? {};
      if (!isCall(frame, "resume_session") || after === undefined) return frame;
      const { epoch, seq } = after as { epoch: number; seq: number };
      return seq === 11 ? withParams(frame, { after: { epoch, seq: seq - 1 } }) : frame;
    }),
  },
  {
    sin: "does not tell who comes back what is pending",
    caughtBy: ["P9.6"],
    make: says((frame, wire) =>
      withResult(frame, wire, "resume_session", (result) => ({ ...result, pendingPermissions: [] })),
    ),
  },
  {
    sin: "resumes from a position that never was",
    caughtBy: ["P9.7"],
    make: says((frame, wire) =>
      refusedOf(frame, wire, "resume_session", -32_603)
        ? { type: "response", id: frame.id ?? null, result: {} }
        : frame,
    ),
  },
  {
    sin: "tells twice what was attached twice",
    caughtBy: ["P9.8"],
    make: () => ({
      says: (frame, wire) => {
        const isTwice = wire.made.size > 0 && wire.joined.size > 0 && hasResumed(wire);
        return isTwice && tells(frame, "create_message") ? [frame, frame] : [frame];
      },
    }),
  },
  {
    sin: "cannot be resumed from before its restart",
    caughtBy: ["P9.9"],
    make() {
      const seen = new Set<unknown>();
      const old = new Set<unknown>();
      return {
        harness: ({ restart }) => ({
          async restart(how) {
            for (const epoch of seen) old.add(epoch);
            await restart?.(how);
          },
        }),
        says(frame) {
          seen.add(frame._meta?.epoch);
          return [frame];
        },
        hears(frame, wire) {
          const { epoch } = (frame.params?.after ?? {}) as { epoch?: number };
          const error = { code: -32_603, message: "Too old", data: { code: "RESUME_TOO_OLD" } };
          return isCall(frame, "resume_session") && old.has(epoch) ? wire.answer(frame, { error }) : frame;
        },
      };
    },
  },
  {
    sin: "sends one event more than there is credit for",
    caughtBy: ["P9.10", "P9.12", "P9.15", "P9.22"],
    make: hears((frame) => {
      const { credit } = frame.params ?? {};
      const { events = 0 } = (credit ?? {}) as { events?: number };
      return isCall(frame, "load_session") && events > 0
        ? withParams(frame, { credit: { ...(credit as object), events: events + 1 } })
        : frame;
    }),
  },
  {
    sin: "counts no bytes",
    caughtBy: ["P9.11"],
    make: hears((frame) => {
      const { credit } = frame.params ?? {};
      const { events = 0 } = (credit ?? {}) as { events?: number };
      return isCall(frame, "load_session") && events > 0
        ? withParams(frame, { credit: { ...(credit as object), bytes: 9_999_999 } })
        : frame;
    }),
  },
  {
    sin: "answers a grant of credit",
    caughtBy: ["P9.12"],
    make: () => ({
      hears(frame, wire) {
        const isSmall = frame.method === "daemon.grant_credit" && frame.params?.events === 7;
        if (isSmall) wire.answer({ id: null }, { result: {} });
        return frame;
      },
    }),
  },
  {
    sin: "follows from where it stopped, and not from now",
    caughtBy: ["P9.13", "P9.16"],
    make: says((frame, wire) =>
      isResultOf(frame, wire, "follow_session")
        ? withResult(frame, wire, "follow_session", (result) => {
            const { epoch, seq } = result.position as { epoch: number; seq: number };
            return { ...result, position: { epoch, seq: seq - 5 } };
          })
        : frame,
    ),
  },
  {
    sin: "lets a request wait for credit",
    caughtBy: ["P9.14", "P9.16"],
    make: () => ({ says: (frame) => (frame._meta?.early === true ? [] : [frame]) }),
  },
  {
    sin: "keeps a pending request from a connection that attaches by follow_session",
    caughtBy: ["P9.16"],
    make: () => ({
      says: (frame, wire) => (frame._meta?.early === true && hasFollowed(wire) ? [] : [frame]),
    }),
  },
  {
    sin: "tells what was early only once",
    caughtBy: ["P9.14"],
    make() {
      const early = new Set<unknown>();
      return {
        says(frame) {
          if (frame._meta?.early === true) early.add(frame.id ?? frame._meta.seq);
          const isSecond = frame._meta?.early !== true && frame.type === "request" && early.has(frame.id);
          return isSecond ? [] : [frame];
        },
      };
    },
  },
  {
    sin: "leaves the last entry out of a batch",
    caughtBy: ["P9.22"],
    make: says((frame) => {
      const { notifications } = frame.params ?? {};
      return Array.isArray(notifications) ? withParams(frame, { notifications: notifications.slice(0, -1) }) : frame;
    }),
  },
  {
    sin: "counts a batch as one event",
    caughtBy: ["P9.22"],
    make: hears((frame) => {
      const { credit } = frame.params ?? {};
      const { events = 0, batches = false } = (credit ?? {}) as { events?: number; batches?: boolean };
      return isCall(frame, "load_session") && batches
        ? withParams(frame, { credit: { ...(credit as object), events: events * 2 } })
        : frame;
    }),
  },
  {
    sin: "goes silent about a session whose place is gone",
    caughtBy: ["P9.15"],
    make: () => ({ says: (frame) => (tells(frame, "session_unsubscribed") ? [] : [frame]) }),
  },
  {
    sin: "leaves an event out of a page",
    caughtBy: ["P9.17", "P9.23"],
    make: says(inPages((event) => (event.notification?.textDelta === "30 " ? [] : [event]))),
  },
  {
    sin: "does not wait for an event",
    caughtBy: ["P9.18"],
    make: hears((frame) => (isCall(frame, "get_session_events") ? withParams(frame, { waitMs: 0 }) : frame)),
  },
  {
    sin: "knows the turn of an event only from its prompt on",
    caughtBy: ["P9.19", "P9.23"],
    make: says(
      inPages(({ turnId, ...event }, index) => [index === 0 || turnId === undefined ? event : { ...event, turnId }]),
    ),
  },
  {
    sin: "leaves a notification out of a run",
    caughtBy: ["P9.23"],
    make: says((frame, wire) =>
      withResult(frame, wire, "get_session_events", ({ runs, ...page }) => ({
        ...page,
        ...(Array.isArray(runs) && {
          runs: runs.map((run: { notifications: unknown[] }) => ({
            ...run,
            notifications: run.notifications.slice(1),
          })),
        }),
      })),
    ),
  },
  {
    sin: "hides that events are missing",
    caughtBy: ["P9.20"],
    make: says((frame, wire) =>
      withResult(frame, wire, "get_session_events", ({ isIncomplete: _isIncomplete, ...page }) => page),
    ),
  },
  {
    sin: "leaves the agent's requests out of a page",
    caughtBy: ["P9.21"],
    make: hears((frame) =>
      isCall(frame, "get_session_events") ? withParams(frame, { includeRequests: false }) : frame,
    ),
  },
];
