import type { DaemonMutant } from "./daemon-mutants.js";
import { isCall, refusedOf, tells, withNotification, withResult } from "./frames.js";
import { hears, says } from "./sins.js";

const NOT_FOUND = { code: -32_004, message: "Session not found" };

/** Sins against docs/protocol.md §6 and §10. */
export const SESSION_MUTANTS: readonly DaemonMutant[] = [
  {
    sin: "gives a session another id than was chosen",
    caughtBy: ["P6.1"],
    make: hears((frame) => {
      const { sessionId: _, ...rest } = frame.params ?? {};
      return isCall(frame, "initialize_session") ? { ...frame, params: rest } : frame;
    }),
  },
  {
    sin: "names the session in the result of load_session",
    caughtBy: ["P6.2"],
    make: says((frame, wire) => withResult(frame, wire, "load_session", (result) => ({ ...result, sessionId: "it" }))),
  },
  {
    sin: "does not say which session it did not find",
    caughtBy: ["P6.3"],
    make: says((frame, wire) =>
      refusedOf(frame, wire, "close_session", -32_004) ? { ...frame, error: NOT_FOUND } : frame,
    ),
  },
  {
    sin: "tells the second connection another text",
    caughtBy: ["P6.4"],
    make: says((frame, wire) => {
      const isSecond = wire.joined.has(String(frame.params?.sessionId));
      const isLate = frame.params?.notification?.textDelta === "45 ";
      return isSecond && isLate ? withNotification(frame, (told) => ({ ...told, textDelta: "…" })) : frame;
    }),
  },
  {
    sin: "tells a session to connections that are not attached",
    caughtBy: ["P6.5", "P7.23"],
    make: () => ({
      says(frame, wire) {
        if (!tells(frame, "create_message")) return [frame];
        const id = String(frame.params?.sessionId);
        for (const other of wire.shared.wires) if (!other.made.has(id) && !other.joined.has(id)) other.say(frame);
        return [frame];
      },
    }),
  },
  {
    sin: "sends to the wrong session",
    caughtBy: ["P6.6"],
    make: says((frame, wire) => {
      const [first, second] = [...wire.made];
      const isOther = second !== undefined && frame.params?.sessionId === second && tells(frame, "create_message");
      return isOther ? { ...frame, params: { ...frame.params, sessionId: first } } : frame;
    }),
  },
  {
    sin: "forgets a session whose connection drops",
    caughtBy: ["P6.7"],
    make() {
      const forgotten = new Set<unknown>();
      return {
        onTerminate(wire) {
          const isStreaming = [...wire.requests.values()].some(({ params }) => params?.text === "stream 100");
          for (const id of isStreaming ? wire.made : []) forgotten.add(id);
        },
        hears: (frame, wire) =>
          isCall(frame, "load_session") && forgotten.has(frame.params?.sessionId)
            ? wire.answer(frame, { error: NOT_FOUND })
            : frame,
      };
    },
  },
  {
    sin: "forgets a session that was closed",
    caughtBy: ["P6.8"],
    make() {
      const closed = new Set<unknown>();
      return {
        hears(frame, wire) {
          if (isCall(frame, "close_session")) closed.add(frame.params?.sessionId);
          const isForgotten = isCall(frame, "load_session") && closed.has(frame.params?.sessionId);
          return isForgotten ? wire.answer(frame, { error: NOT_FOUND }) : frame;
        },
      };
    },
  },
  {
    sin: "closes a session and tells nobody",
    caughtBy: ["P6.8", "P6.18", "P7.23"],
    make: () => ({ says: (frame) => (tells(frame, "session_closed") ? [] : [frame]) }),
  },
  {
    sin: "leaves the last message out of a snapshot",
    caughtBy: ["P6.9"],
    make: says((frame, wire) =>
      withResult(frame, wire, "load_session", (result) => {
        const { messages } = result.session as { messages: unknown[] };
        const kept = messages.length > 2 ? messages.slice(0, -1) : messages;
        return { ...result, session: { messages: kept } };
      }),
    ),
  },
  {
    sin: "says idle in every snapshot",
    caughtBy: ["P6.10"],
    make: says((frame, wire) =>
      withResult(frame, wire, "load_session", (result) => ({ ...result, workingState: "idle" })),
    ),
  },
  {
    sin: "tells the old directory of a session that has moved",
    caughtBy: ["P6.15"],
    make: says((frame, wire) => withResult(frame, wire, "load_session", (result) => ({ ...result, cwd: "/old" }))),
  },
  {
    sin: "moves a session and tells nobody",
    caughtBy: ["P6.15"],
    make: () => ({ says: (frame) => (tells(frame, "session_working_directory_changed") ? [] : [frame]) }),
  },
  {
    sin: "lists files as objects",
    caughtBy: ["P6.16"],
    make: says((frame, wire) => withResult(frame, wire, "list_files", () => ({ files: [{ path: "a" }] }))),
  },
  {
    sin: "has neither a difference nor a reason",
    caughtBy: ["P6.16"],
    make: says((frame, wire) => withResult(frame, wire, "get_git_diff", () => ({ success: false }))),
  },
  {
    sin: "has no list of models",
    caughtBy: ["P6.17"],
    make: says((frame, wire) => withResult(frame, wire, "list_models", () => ({ models: null }))),
  },
  {
    sin: "takes any name for an agent",
    caughtBy: ["P6.11"],
    make: hears((frame) => {
      const { agent: _, ...rest } = frame.params ?? {};
      return isCall(frame, "initialize_session") ? { ...frame, params: rest } : frame;
    }),
  },
  {
    sin: "forgets a new title",
    caughtBy: ["P6.12", "P1.3"],
    make: hears((frame, wire) =>
      isCall(frame, "rename_session") ? wire.answer(frame, { result: { success: true } }) : frame,
    ),
  },
  {
    sin: "forgets the messages that do not fit into a page",
    caughtBy: ["P6.13"],
    make: says((frame, wire) =>
      withResult(frame, wire, "get_session_messages", ({ nextCursor, ...result }) => {
        const isLong = JSON.stringify(result).length > 100_000;
        return isLong ? { ...result, hasMore: false } : { ...result, nextCursor };
      }),
    ),
  },
  {
    sin: "counts the messages of a page and not their bytes",
    caughtBy: ["P6.13"],
    make: says((frame, wire) =>
      withResult(frame, wire, "get_session_messages", (result) => {
        const padding = "x".repeat(200 * 1024);
        return { ...result, messages: (result.messages as object[]).map((message) => ({ ...message, padding })) };
      }),
    ),
  },
  {
    sin: "lists no prompt whose text is long",
    caughtBy: ["P6.14"],
    make: says((frame, wire) =>
      withResult(frame, wire, "load_session", ({ queuedMessages, ...result }) => {
        const queued = (queuedMessages as { text: string }[] | undefined) ?? [];
        return { ...result, queuedMessages: queued.filter(({ text }) => !text.startsWith("[A message of")) };
      }),
    ),
  },
  {
    sin: "closes a session that is to be deleted",
    caughtBy: ["P6.18"],
    make: hears((frame) =>
      isCall(frame, "delete_session") && frame.params?.force === true
        ? { ...frame, method: "daemon.close_session" }
        : frame,
    ),
  },
  {
    sin: "deletes a session at work without being told to",
    caughtBy: ["P6.18"],
    make: hears((frame) =>
      isCall(frame, "delete_session") ? { ...frame, params: { ...frame.params, force: true } } : frame,
    ),
  },
  {
    sin: "tells a session on after it was detached",
    caughtBy: ["P10.1"],
    make: hears((frame, wire) => (isCall(frame, "detach_session") ? wire.answer(frame, { result: {} }) : frame)),
  },
];
