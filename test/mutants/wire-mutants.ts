import type { DaemonMutant } from "./daemon-mutants.js";
import { acceptedInstead, isCall, refusedOf, withResult } from "./frames.js";
import type { SinfulWire } from "./sinful-daemon.js";
import { hears, says } from "./sins.js";

const INVALID = { code: -32_602, message: "Invalid params" };
const UNKNOWN = { code: -32_601, message: "Method not found" };
const REFUSED = { code: -32_001, message: "Authentication failed" };

/** Sins against docs/protocol.md §1 to §4, §11 and §12. */
export const WIRE_MUTANTS: readonly DaemonMutant[] = [
  {
    sin: "takes messages of any size",
    caughtBy: ["P1.1"],
    make: () => ({ hearsText: (text) => (text.length > 16 * 1024 * 1024 ? undefined : text) }),
  },
  {
    sin: "follows JSON to any depth",
    caughtBy: ["P1.2"],
    make: () => ({ hearsText: (text) => text.replace(/\[{65,}\]*/, "[]") }),
  },
  {
    sin: "cuts a title that is too long in silence",
    caughtBy: ["P1.3"],
    make: hears((frame) => {
      const title = frame.params?.title;
      return isCall(frame, "rename_session") && typeof title === "string"
        ? { ...frame, params: { ...frame.params, title: title.slice(0, 1_000) } }
        : frame;
    }),
  },
  {
    sin: "looks for a session before it looks at the strings",
    caughtBy: ["P1.3"],
    make: says((frame, wire) =>
      refusedOf(frame, wire, "remove_mcp_server", -32_602)
        ? { ...frame, error: { code: -32_004, message: "Session not found" } }
        : frame,
    ),
  },
  {
    sin: "takes calls of any size",
    caughtBy: ["P1.4"],
    make: says((frame, wire) =>
      refusedOf(frame, wire, "list_opened_sessions", -32_603) ? acceptedInstead(frame, { sessions: [] }) : frame,
    ),
  },
  {
    sin: "repeats an id of any length",
    caughtBy: ["P11.3"],
    make: () => ({
      hearsText(text, wire) {
        const id = /"id":"(x{257,})"/.exec(text)?.[1];
        return id === undefined ? text : wire.answer({ id }, { error: INVALID });
      },
    }),
  },
  {
    sin: "leaves out the version of the envelope where the state changes",
    caughtBy: ["P2.1"],
    make: () => ({
      says: (frame) => {
        const isState = frame.params?.notification?.type === "droid_working_state_changed";
        return [isState ? { ...frame, jsonrpc: undefined } : frame];
      },
    }),
  },
  {
    sin: "answers a request twice",
    caughtBy: ["P2.2"],
    make: () => ({ says: (frame) => (frame.error?.code === -32_601 ? [frame, frame] : [frame]) }),
  },
  {
    sin: "refuses keys that it does not know",
    caughtBy: ["P2.3"],
    make: () => ({
      hears: (frame, wire) => (frame.params?.unheard ? wire.answer(frame, { error: INVALID }) : frame),
    }),
  },
  {
    sin: "refuses its own version",
    caughtBy: ["P2.4"],
    make: () => ({
      hears: (frame, wire) => (frame.factoryProtocolVersion ? wire.answer(frame, { error: UNKNOWN }) : frame),
    }),
  },
  {
    sin: "lists sessions to strangers",
    caughtBy: ["P3.1"],
    make: () => ({
      says(frame, wire) {
        const isRefused =
          frame.error?.code === -32_001 && wire.requestOf(frame)?.method === "daemon.list_opened_sessions";
        return [isRefused ? { type: "response", id: frame.id ?? null, result: { sessions: [] } } : frame];
      },
    }),
  },
  {
    sin: "does not tell connection_status",
    caughtBy: ["P3.2"],
    make: () => ({ says: (frame) => (frame.method === "daemon.connection_status" ? [] : [frame]) }),
  },
  {
    sin: "tells what was wrong with a credential",
    caughtBy: ["P3.3"],
    make: () => ({
      says(frame, wire) {
        const isKey = wire.requestOf(frame)?.params?.apiKey !== undefined;
        return [isKey && frame.error ? { ...frame, error: { ...frame.error, message: "Unknown key" } } : frame];
      },
    }),
  },
  {
    sin: "does not ask who calls",
    caughtBy: ["P3.4"],
    make: () => ({
      hears: (frame) =>
        isCall(frame, "authenticate") ? { ...frame, params: { caller: "nobody", ...frame.params } } : frame,
    }),
  },
  {
    sin: "lets credentials be tried for ever",
    caughtBy: ["P3.5"],
    make: () => ({
      hears(frame, wire) {
        const isWrong = isCall(frame, "authenticate") && String(frame.params?.token).startsWith("wrong");
        return isWrong ? wire.answer(frame, { error: REFUSED }) : frame;
      },
    }),
  },
  {
    sin: "waits for ever for a credential",
    caughtBy: ["P3.6", "P9.18"],
    make: () => ({
      harness: (harness) => ({ passTime: async (ms) => (ms < 10_000 ? undefined : harness.passTime?.(ms)) }),
    }),
  },
  {
    sin: "keeps the connection after a logout",
    caughtBy: ["P3.7"],
    make: () => ({
      hears: (frame, wire) => (isCall(frame, "logout") ? wire.answer(frame, { result: { accepted: true } }) : frame),
    }),
  },
  {
    sin: "takes the token in token only",
    caughtBy: ["P3.8"],
    make: () => ({
      hears(frame, wire) {
        const isToken = isCall(frame, "authenticate") && String(frame.params?.apiKey).startsWith("credential");
        return isToken ? wire.answer(frame, { error: REFUSED }) : frame;
      },
    }),
  },
  {
    sin: "shows a session to another key",
    caughtBy: ["P3.9"],
    make: () => ({ harness: ({ keys }) => (keys ? { keys: [keys[0], keys[0]] } : {}) }),
  },
  {
    sin: "takes a ticket twice",
    caughtBy: ["P3.10"],
    make() {
      const used = new Set<unknown>();
      let credential: unknown;
      return {
        hears(frame) {
          const { ticket, token } = frame.params ?? {};
          if (!isCall(frame, "authenticate")) return frame;
          credential = token ?? credential;
          if (ticket === undefined || !used.has(ticket)) {
            used.add(ticket);
            return frame;
          }
          return { ...frame, params: { caller: "again", token: credential } };
        },
      };
    },
  },
  {
    sin: "shows no session to who came by a ticket",
    caughtBy: ["P3.11"],
    make: () => ({
      hears(frame, wire) {
        const byTicket = [...wire.requests.values()].some(({ params }) => params?.ticket !== undefined);
        return byTicket && isCall(frame, "load_session") ? wire.answer(frame, { error: UNKNOWN }) : frame;
      },
    }),
  },
  {
    sin: "takes tickets of any age",
    caughtBy: ["P3.12"],
    make: () => ({
      harness: (harness) => ({ passTime: async (ms) => (ms > 10_000 ? undefined : harness.passTime?.(ms)) }),
    }),
  },
  {
    sin: "offers less than it does",
    caughtBy: ["P4.1"],
    make: () => ({
      says: (frame, wire) => [
        withResult(frame, wire, "authenticate", ({ capabilities, ...rest }) => {
          const { ping: _, ...less } = capabilities as Record<string, unknown>;
          return { ...rest, capabilities: less };
        }),
      ],
    }),
  },
  {
    sin: "offers ping and does not know it",
    caughtBy: ["P12.1", "P4.1"],
    make: () => ({ hears: (frame, wire) => (isCall(frame, "ping") ? wire.answer(frame, { error: UNKNOWN }) : frame) }),
  },
  {
    sin: "counts turns and forgets the minutes",
    caughtBy: ["P12.3"],
    make: says((frame, wire) => withResult(frame, wire, "get_metrics", (result) => ({ ...result, minutes: [] }))),
  },
  {
    sin: "says yes where a capability is true",
    caughtBy: ["P4.2"],
    make: () => ({
      says: (frame, wire) => [
        withResult(frame, wire, "authenticate", ({ capabilities, ...rest }) => ({
          ...rest,
          capabilities: { ...(capabilities as object), teleport: "yes" },
        })),
      ],
    }),
  },
  ...refusing("P11.1", "answers what is no JSON as if it were a bad request", (text) => text === "{", -32_600),
  ...refusing("P11.2", "answers an empty list as if it were a bad request", (text) => text === "[]", -32_600),
  ...refusing(
    "P11.3",
    "takes a truth value for an id, and answers another code",
    (text) => text.includes('"id":true'),
    -32_602,
  ),
  {
    sin: "takes keys that reach for a prototype",
    caughtBy: ["P11.4"],
    make: () => ({ hearsText: (text) => text.replaceAll('"__proto__":', '"proto":') }),
  },
  {
    sin: "stumbles over a session that is called constructor",
    caughtBy: ["P11.5"],
    make: () => ({
      hears: (frame, wire) =>
        frame.params?.sessionId === "constructor"
          ? wire.answer(frame, { error: { code: -32_603, message: "is not a session" } })
          : frame,
    }),
  },
  {
    sin: "takes methods with any prefix",
    caughtBy: ["P11.6"],
    make: () => ({
      hears: (frame) => ({ ...frame, ...(frame.method ? { method: frame.method.replace("other.", "daemon.") } : {}) }),
    }),
  },
  {
    sin: "answers bad params with the wrong code",
    caughtBy: ["P11.7", "P6.11", "P1.3"],
    make: () => ({
      says: (frame, wire) => [
        refusedOf(frame, wire, "initialize_session", -32_602)
          ? { ...frame, error: { code: -32_600, message: "" } }
          : frame,
      ],
    }),
  },
  {
    sin: "answers an answer",
    caughtBy: ["P11.8"],
    make: () => ({
      hears(frame, wire) {
        if (frame.type === "response" && frame.id === "nobody-asked") wire.answer(frame, { error: INVALID });
        return frame;
      },
    }),
  },
  {
    sin: "hangs up on who asks for the wrong method",
    caughtBy: ["P11.9", "P2.2", "P11.6"],
    make: () => ({
      hears(frame, wire) {
        if (isCall(frame, "no_such_method") && isAuthenticated(wire)) wire.close();
        return frame;
      },
    }),
  },
  {
    sin: "goes without a word",
    caughtBy: ["P12.2"],
    make: () => ({ closes: (end) => (end.code === 1001 ? { ...end, code: 1006 } : end) }),
  },
];

function isAuthenticated(wire: SinfulWire): boolean {
  return [...wire.requests.values()].some((frame) => isCall(frame, "authenticate"));
}

/** A mutant that answers texts like this with another code than it should. */
function refusing(id: string, sin: string, isIt: (text: string) => boolean, code: number): DaemonMutant[] {
  const make = () => ({
    hearsText(text: string, wire: SinfulWire) {
      return isIt(text) ? wire.answer({ id: null }, { error: { code, message: "Refused" } }) : text;
    },
  });
  return [{ sin, caughtBy: [id], make }];
}
