import type { DaemonMutant } from "./daemon-mutants.js";
import { isCall, isResultOf, refusedOf, tells, toldIn, withNotification, withResult } from "./frames.js";
import type { Frame, Sin } from "./sinful-daemon.js";
import { hears, says } from "./sins.js";

const INVALID = { code: -32_602, message: "Invalid params" };
const NOT_FOUND = { code: -32_004, message: "Session not found" };

/** Sins against docs/protocol.md §7. */
export const TURN_MUTANTS: readonly DaemonMutant[] = [
  {
    sin: "acknowledges a message with more than that",
    caughtBy: ["P7.1", "P7.19"],
    make: says((frame, wire) => withResult(frame, wire, "add_user_message", () => ({ turn: "begun" }))),
  },
  {
    sin: "does not complete a text",
    caughtBy: ["P7.2", "P9.1", "P9.3", "P9.13", "P7.19", "P9.17", "P9.22"],
    make: () => ({ says: (frame) => (tells(frame, "assistant_text_complete") ? [] : [frame]) }),
  },
  {
    sin: "puts another text into the message than it streamed",
    caughtBy: ["P7.3", "P7.19"],
    make: says((frame) => {
      const isLong = JSON.stringify(frame).length > 1_000 && tells(frame, "create_message");
      return isLong ? (JSON.parse(JSON.stringify(frame).replace("199 ", "")) as Frame) : frame;
    }),
  },
  {
    sin: "acts twice on a repeated id",
    caughtBy: ["P7.4"],
    make() {
      const shown = new Map<unknown, Frame>();
      return {
        hears(frame, wire) {
          const again = isCall(frame, "add_user_message") ? shown.get(frame.params?.messageId) : undefined;
          if (again && wire.made.has(String(frame.params?.sessionId))) queueMicrotask(() => wire.say(again));
          return frame;
        },
        says(frame) {
          const { message } = toldIn(frame);
          if (tells(frame, "create_message")) shown.set((message as { id: string }).id, frame);
          return [frame];
        },
      };
    },
  },
  {
    sin: "takes another content under a used id",
    caughtBy: ["P7.5"],
    make: says((frame, wire) =>
      refusedOf(frame, wire, "add_user_message", -32_602) && wire.requestOf(frame)?.params?.text === "say second"
        ? { type: "response", id: frame.id ?? null, result: {} }
        : frame,
    ),
  },
  {
    sin: "says that it takes as many bytes of prompts as come",
    caughtBy: ["P7.20"],
    make: says((frame, wire) =>
      refusedOf(frame, wire, "add_user_message", -32_603) && frame.error?.data?.code === "QUEUE_FULL"
        ? { type: "response", id: frame.id ?? null, result: {} }
        : frame,
    ),
  },
  { sin: "tells the queue in another order", caughtBy: ["P7.6"], make: swapsQueue },
  {
    sin: "ends a turn twice",
    caughtBy: ["P7.7", "P7.6", "P7.8", "P7.12", "P9.1", "P9.3", "P9.8", "P9.9", "P9.13", "P9.17"],
    make: () => ({
      says: (frame) => (tells(frame, "agent_turn_completed") && isWhole(frame) ? [frame, frame] : [frame]),
    }),
  },
  {
    sin: "never ends a turn",
    caughtBy: ["P7.7"],
    make() {
      const done = new Set<unknown>();
      return {
        says(frame) {
          const { message, turnId } = toldIn(frame);
          if (JSON.stringify(message ?? "").includes("say done")) done.add((message as { id: string }).id);
          return tells(frame, "agent_turn_completed") && done.has(turnId) ? [] : [frame];
        },
      };
    },
  },
  {
    sin: "goes from one message to the next without a word of idle",
    caughtBy: ["P7.8"],
    make() {
      let queued = 0;
      return {
        hears(frame) {
          if (isCall(frame, "add_user_message")) queued = frame.params?.text === "say next" ? 1 : 0;
          return frame;
        },
        says: (frame) => (frame.params?.notification?.newState === "idle" && queued-- > 0 ? [] : [frame]),
      };
    },
  },
  {
    sin: "ends an interrupted turn as completed",
    caughtBy: ["P7.9", "P7.18"],
    make: says((frame) => {
      const isCancelled = frame.params?.notification?.reason === "cancelled";
      return isCancelled ? withNotification(frame, (told) => ({ ...told, reason: "completed" })) : frame;
    }),
  },
  {
    sin: "has nothing to interrupt, and calls it an error",
    caughtBy: ["P7.10"],
    make: hears((frame, wire) => {
      const isEarly = ![...wire.requests.values()].some((sent) => isCall(sent, "add_user_message"));
      const isOwn = wire.made.has(String(frame.params?.sessionId));
      return isCall(frame, "interrupt_session") && isEarly && isOwn ? wire.answer(frame, { error: INVALID }) : frame;
    }),
  },
  {
    sin: "interrupts nothing that is not loaded",
    caughtBy: ["P7.11"],
    make: hears((frame, wire) => {
      const id = String(frame.params?.sessionId);
      const isStranger = isCall(frame, "interrupt_session") && wire.made.size === 0 && !wire.joined.has(id);
      return isStranger && id.length === 36
        ? wire.answer(frame, { error: { ...NOT_FOUND, data: { sessionId: id } } })
        : frame;
    }),
  },
  {
    sin: "interrupts whatever runs, whichever message was named",
    caughtBy: ["P7.18"],
    make: hears((frame) => {
      const { messageId: _, ...rest } = frame.params ?? {};
      return isCall(frame, "interrupt_session") ? { ...frame, params: rest } : frame;
    }),
  },
  {
    sin: "says that an agent that died has completed",
    caughtBy: ["P7.12"],
    make: says((frame) => {
      const isDead = frame.params?.notification?.reason === "agent_exited";
      return isDead ? withNotification(frame, (told) => ({ ...told, reason: "completed" })) : frame;
    }),
  },
  {
    sin: "works on after a restart",
    caughtBy: ["P7.13"],
    make() {
      let restarts = 0;
      return {
        harness: ({ restart }) => ({
          async restart(how) {
            restarts++;
            await restart?.(how);
          },
        }),
        says: (frame, wire) => [
          withResult(frame, wire, "load_session", (result) => ({
            ...result,
            ...(restarts > 0 ? { isAgentLoopInProgress: true } : {}),
          })),
        ],
      };
    },
  },
  {
    sin: "acts again on an old message after a restart",
    caughtBy: ["P7.14"],
    make() {
      const shown = new Map<unknown, Frame>();
      return {
        hears(frame, wire) {
          const again = isCall(frame, "add_user_message") ? shown.get(frame.params?.messageId) : undefined;
          if (again && wire.made.size === 0) queueMicrotask(() => wire.say(again));
          return frame;
        },
        says(frame) {
          const { message } = toldIn(frame);
          if (tells(frame, "create_message")) shown.set((message as { id: string }).id, frame);
          return [frame];
        },
      };
    },
  },
  {
    sin: "gives receipts in another order",
    caughtBy: ["P7.15", "P7.25"],
    make: says((frame, wire) =>
      withResult(frame, wire, "get_receipts", ({ receipts }) => ({ receipts: (receipts as unknown[]).toReversed() })),
    ),
  },
  {
    sin: "gives any number of receipts",
    caughtBy: ["P7.16"],
    make: says((frame, wire) =>
      refusedOf(frame, wire, "get_receipts", -32_602)
        ? { type: "response", id: frame.id ?? null, result: { receipts: [] } }
        : frame,
    ),
  },
  {
    sin: "forgets its receipts when it is restarted",
    caughtBy: ["P7.17", "P7.22", "P7.25"],
    make: says((frame, wire) =>
      isResultOf(frame, wire, "get_receipts") && wire.made.size === 0
        ? withResult(frame, wire, "get_receipts", () => ({ receipts: [{ messageId: "?", state: "unknown" }] }))
        : frame,
    ),
  },
  {
    sin: "drops the text of a turn that did not complete",
    caughtBy: ["P7.25"],
    make: says((frame, wire) =>
      withResult(frame, wire, "get_receipts", ({ receipts }) => ({
        receipts: (receipts as { state: string }[]).map((receipt) =>
          receipt.state === "completed" ? receipt : { ...receipt, text: undefined },
        ),
      })),
    ),
  },
  {
    sin: "acknowledges a known message like a new one",
    caughtBy: ["P7.19"],
    make: says((frame, wire) => withResult(frame, wire, "add_user_message", () => ({}))),
  },
  {
    sin: "makes up events of a message it does not know",
    caughtBy: ["P7.24"],
    make: says((frame, wire) =>
      withResult(frame, wire, "get_turn_events", (page) => {
        const isUnknown = (page.receipt as { state?: string } | undefined)?.state === "unknown";
        return isUnknown ? { ...page, events: [{ seq: 1, notification: { type: "error" } }] } : page;
      }),
    ),
  },
  {
    sin: "keeps the messages of a pruned turn to itself",
    caughtBy: ["P7.21"],
    make: says((frame, wire) => withResult(frame, wire, "get_turn_events", ({ messages: _messages, ...page }) => page)),
  },
  {
    sin: "answers for a turn that has not ended, whatever it was asked to wait",
    caughtBy: ["P7.22"],
    make: hears((frame) =>
      isCall(frame, "get_receipts") ? { ...frame, params: { ...frame.params, waitMs: 0 } } : frame,
    ),
  },
  {
    sin: "keeps a close from a session that the connection has not made or loaded",
    caughtBy: ["P7.23"],
    make: hears((frame, wire) => {
      const isStranger = wire.made.size + wire.joined.size === 0;
      return isStranger && isCall(frame, "close_session") ? { ...frame, method: "daemon.ping", params: {} } : frame;
    }),
  },
];

function isWhole({ _meta }: Frame): boolean {
  return _meta?.early !== true;
}

/** Delays the notifications of the second message until the third has ended. */
function swapsQueue(): Sin {
  const ids: unknown[] = [];
  const held: Frame[] = [];
  const isOf = (frame: Frame, id: unknown) => {
    const { message, turnId } = toldIn(frame);
    return id !== undefined && (turnId === id || (message as { id?: string } | undefined)?.id === id);
  };
  return {
    hears(frame) {
      const { text, messageId } = frame.params ?? {};
      if (text === "say two" || text === "say three") ids.push(messageId);
      return frame;
    },
    says(frame) {
      const [second, third] = ids;
      if (isOf(frame, second)) {
        held.push(frame);
        return [];
      }
      const isLast = isOf(frame, third) && tells(frame, "agent_turn_completed");
      return isLast ? [...held.splice(0), frame] : [frame];
    },
  };
}
