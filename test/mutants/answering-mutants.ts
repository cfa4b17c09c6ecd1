import type { DaemonMutant } from "./daemon-mutants.js";
import { isCall, refusedOf, tells, toldIn, withNotification, withResult } from "./frames.js";
import type { Frame, SinfulWire } from "./sinful-daemon.js";
import { says } from "./sins.js";

/** Whether the connection never said that it uses extensions. */
function isPlain(wire: SinfulWire): boolean {
  return ![...wire.requests.values()].some((frame) => frame.params?.inbox === true || isCall(frame, "follow_session"));
}

const PENDING = ["pendingPermissions", "pendingAskUserRequests"] as const;

/** Sins against docs/protocol.md §8. */
export const ANSWERING_MUTANTS: readonly DaemonMutant[] = [
  {
    sin: "asks for a permission and does not say for what",
    caughtBy: ["P8.1", "P8.10"],
    make: says((frame) => {
      const { toolUses: _, ...rest } = frame.params ?? {};
      return isCall(frame, "request_permission") ? { ...frame, params: rest } : frame;
    }),
  },
  {
    sin: "asks questions by another method",
    caughtBy: ["P8.2"],
    make: says((frame) => (isCall(frame, "ask_user") ? { ...frame, method: "daemon.ask_person" } : frame)),
  },
  {
    sin: "does not list pending questions in snapshots",
    caughtBy: ["P8.3"],
    make: says((frame, wire) =>
      withResult(frame, wire, "load_session", (result) => ({ ...result, pendingAskUserRequests: [] })),
    ),
  },
  {
    sin: "asks again after the answer",
    caughtBy: ["P8.4", "P9.14"],
    make() {
      const asked = new Map<unknown, Frame>();
      return {
        says(frame) {
          if (frame.type === "request") asked.set(frame.id, frame);
          const again = tells(frame, "permission_resolved")
            ? asked.get(frame.params?.notification?.requestId)
            : undefined;
          return again ? [frame, again] : [frame];
        },
      };
    },
  },
  {
    sin: "asks every plain connection",
    caughtBy: ["P8.5"],
    make: () => ({
      says(frame, wire) {
        if (frame.type !== "request") return [frame];
        const id = String(frame.params?.sessionId);
        for (const other of wire.shared.wires)
          if (other !== wire && isPlain(other) && other.joined.has(id)) other.say(frame);
        return [frame];
      },
    }),
  },
  {
    sin: "asks nobody else when the asked one leaves",
    caughtBy: ["P8.6"],
    make: () => ({
      says: (frame, wire) => (frame.type === "request" && isPlain(wire) && wire.made.size === 0 ? [] : [frame]),
    }),
  },
  {
    sin: "takes answers from attached connections only",
    caughtBy: ["P8.7"],
    make: () => ({
      hears: (frame, wire) =>
        frame.type === "response" && wire.made.size === 0 && wire.joined.size === 0 ? undefined : frame,
    }),
  },
  {
    sin: "lets a later answer win",
    caughtBy: ["P8.8"],
    make: () => ({
      hears(frame, wire) {
        const isLate = frame.type === "response" && frame.result?.selectedOption === "cancel" && wire.made.size === 0;
        const [told] = isLate
          ? [...wire.shared.wires].filter((other) => other.made.has(String(frame.result?.sessionId)))
          : [];
        const notification = { type: "permission_resolved", requestId: frame.id, selectedOption: "cancel" };
        told?.say({
          type: "notification",
          method: "daemon.session_notification",
          params: { sessionId: frame.result?.sessionId, notification },
        });
        return frame;
      },
    }),
  },
  {
    sin: "takes an answer that was not offered for a no",
    caughtBy: ["P8.9"],
    make: () => ({
      hears: (frame) =>
        frame.type === "response" && frame.result?.selectedOption === "no_such_option"
          ? { ...frame, result: { ...frame.result, selectedOption: "cancel" } }
          : frame,
    }),
  },
  {
    sin: "resolves a permission twice",
    caughtBy: ["P8.10", "P8.7", "P8.8", "P8.12", "P8.15"],
    make: () => ({ says: (frame) => (tells(frame, "permission_resolved") ? [frame, frame] : [frame]) }),
  },
  {
    sin: "does not tell that a question was answered",
    caughtBy: ["P8.11"],
    make: () => ({ says: (frame) => (tells(frame, "ask_user_resolved") ? [] : [frame]) }),
  },
  {
    sin: "closes what nobody answered as if somebody had said yes",
    caughtBy: ["P8.12"],
    make: says((frame) => {
      const { selectedOption } = toldIn(frame);
      const isClosed = tells(frame, "permission_resolved") && selectedOption === "cancel";
      return isClosed ? withNotification(frame, (told) => ({ ...told, selectedOption: "proceed_once" })) : frame;
    }),
  },
  {
    sin: "keeps questions of agents that are gone",
    caughtBy: ["P8.13"],
    make() {
      let kept: unknown[] = [];
      return {
        says(frame, wire) {
          if (isCall(frame, "request_permission")) kept = [{ requestId: frame.id }];
          if (tells(frame, "permission_resolved") && wire.made.size > 0) kept = [];
          return [
            withResult(frame, wire, "load_session", (result) => ({
              ...result,
              [PENDING[0]]: wire.made.size === 0 && result.isAgentLoopInProgress === false ? kept : result[PENDING[0]],
            })),
          ];
        },
      };
    },
  },
  {
    sin: "lists requests newest first",
    caughtBy: ["P8.14"],
    make: says((frame, wire) =>
      withResult(frame, wire, "list_requests", ({ requests }) => ({ requests: (requests as unknown[]).toReversed() })),
    ),
  },
  {
    sin: "takes any answer to answer_request",
    caughtBy: ["P8.15"],
    make: says((frame, wire) =>
      refusedOf(frame, wire, "answer_request", -32_602)
        ? { type: "response", id: frame.id ?? null, result: {} }
        : frame,
    ),
  },
  {
    sin: "does not tell the late what won",
    caughtBy: ["P8.16", "P1.4"],
    make: says((frame, wire) =>
      refusedOf(frame, wire, "answer_request", -32_603)
        ? { ...frame, error: { code: -32_603, message: "Too late", data: { code: "REQUEST_NOT_PENDING" } } }
        : frame,
    ),
  },
  {
    sin: "hears no answer_request",
    caughtBy: ["P8.15", "P8.16"],
    make: () => ({
      hears: (frame, wire) =>
        isCall(frame, "answer_request") && frame.params?.result ? wire.answer(frame, { result: {} }) : frame,
    }),
  },
];
