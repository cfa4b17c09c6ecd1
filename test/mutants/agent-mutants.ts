import { tells, toldIn, withNotification } from "./frames.js";
import type { AgentSin, SinfulAgent } from "./sinful-agent.js";
import type { Frame } from "./sinful-daemon.js";

/** An agent that breaks one law. */
export interface AgentMutant {
  readonly sin: string;
  /** The case that names the sin, first; then others that cannot but see it, too. */
  readonly caughtBy: readonly [string, ...string[]];
  /** A fresh one for each process. */
  make(): AgentSin;
}

function says(change: (frame: Frame, agent: SinfulAgent) => Frame | undefined): () => AgentSin {
  return () => ({
    says(frame, agent) {
      const said = change(frame, agent);
      return said ? [said] : [];
    },
  });
}

function hears(change: (frame: Frame, agent: SinfulAgent) => Frame | undefined): () => AgentSin {
  return () => ({ hears: change });
}

function isCall(frame: Frame, method: string): boolean {
  return frame.type === "request" && frame.method === `droid.${method}`;
}

function withResult(frame: Frame, agent: SinfulAgent, method: string, change: (result: object) => object): Frame {
  const { result } = frame;
  return result && agent.methodOf(frame) === method ? { ...frame, result: { ...change(result) } } : frame;
}

function withReason(frame: Frame, from: string, to: string): Frame {
  const isMeant = tells(frame, "agent_turn_completed") && toldIn(frame).reason === from;
  return isMeant ? withNotification(frame, (told) => ({ ...told, reason: to })) : frame;
}

function isOfRole(frame: Frame, role: string): boolean {
  return tells(frame, "create_message") && (toldIn(frame).message as { role: string }).role === role;
}

/** Sins against docs/agents.md, "The wire", "Opening" and "How it is ended". */
const LIFE_MUTANTS: readonly AgentMutant[] = [
  {
    sin: "prints a banner on stdout",
    caughtBy: ["A1"],
    make() {
      let printed = 0;
      return { prints: (line) => (printed++ === 0 ? ["Ready.", line] : [line]) };
    },
  },
  {
    sin: "leaves the version of its envelopes out",
    caughtBy: ["A1"],
    make: () => ({ prints: (line) => [line.replace('"factoryApiVersion":"1.0.0",', "")] }),
  },
  {
    sin: "dies of a notification that it does not know",
    caughtBy: ["A2"],
    make() {
      let isDead = false;
      return {
        hears(frame) {
          isDead ||= frame.method === "droid.unheard_of";
          return isDead ? undefined : frame;
        },
      };
    },
  },
  {
    sin: "opens without settings",
    caughtBy: ["A3"],
    make: says((frame, agent) =>
      withResult(frame, agent, "initialize_session", (result) => ({ ...result, settings: {} })),
    ),
  },
  {
    sin: "loads a session that it does not know",
    caughtBy: ["A4"],
    make: says((frame, agent) =>
      frame.error?.code === -32_004 && agent.methodOf(frame) === "load_session"
        ? { type: "response", id: frame.id ?? null, result: { session: { messages: [] }, settings: {} } }
        : frame,
    ),
  },
  {
    sin: "loads a conversation without its answers",
    caughtBy: ["A5"],
    make: says((frame, agent) =>
      withResult(frame, agent, "load_session", (result) => ({ ...result, session: { messages: [] } })),
    ),
  },
  {
    sin: "says yes to methods that it does not have",
    caughtBy: ["A6"],
    make: says((frame) =>
      frame.error?.code === -32_601 ? { type: "response", id: frame.id ?? null, result: {} } : frame,
    ),
  },
  {
    sin: "takes a prompt without text",
    caughtBy: ["A7"],
    make: hears((frame) =>
      isCall(frame, "add_user_message") && frame.params?.text === undefined
        ? { ...frame, params: { ...frame.params, text: "" } }
        : frame,
    ),
  },
  {
    sin: "refuses bad params with the wrong code",
    caughtBy: ["A7"],
    make: says(({ error, ...frame }) =>
      error ? { ...frame, error: { ...error, code: error.code === -32_602 ? -32_603 : error.code } } : frame,
    ),
  },
  {
    sin: "exits with 1 when its stdin ends",
    caughtBy: ["A8"],
    make: () => ({ exits: (exit) => (exit.code === 0 ? { ...exit, code: 1 } : exit) }),
  },
  {
    sin: "finishes its turn first when its stdin ends",
    caughtBy: ["A9"],
    make: () => ({ exits: (exit, agent) => (agent.openTurns > 0 ? undefined : exit) }),
  },
];

/** Sins against docs/agents.md, "A turn, in order" and "Interrupt". */
const TURN_MUTANTS: readonly AgentMutant[] = [
  {
    sin: "acknowledges a prompt when its turn has ended",
    caughtBy: ["A10"],
    make() {
      const held: Frame[] = [];
      return {
        says(frame, agent) {
          if (agent.methodOf(frame) !== "add_user_message" || frame.error) {
            return tells(frame, "agent_turn_completed") ? [...held.splice(0), frame] : [frame];
          }
          held.push(frame);
          return [];
        },
      };
    },
  },
  {
    sin: "shows the prompt before it is busy",
    caughtBy: ["A11"],
    make() {
      const held: Frame[] = [];
      return {
        says(frame) {
          if (tells(frame, "droid_working_state_changed") && toldIn(frame).newState !== "idle") {
            held.push(frame);
            return [];
          }
          return [frame, ...held.splice(0)];
        },
      };
    },
  },
  {
    sin: "shows prompts under ids of its own",
    caughtBy: ["A12", "A5"],
    make: says((frame) =>
      isOfRole(frame, "user")
        ? withNotification(frame, (told) => ({ ...told, message: { ...(told.message as object), id: "my-own" } }))
        : frame,
    ),
  },
  {
    sin: "does not say which request a prompt came with",
    caughtBy: ["A12"],
    make: says((frame) =>
      isOfRole(frame, "user") ? withNotification(frame, ({ requestId: _, ...told }) => told) : frame,
    ),
  },
  {
    sin: "loses a piece of its answers",
    caughtBy: ["A13", "A11", "A16", "A9"],
    make() {
      let pieces = 0;
      return { says: (frame) => (tells(frame, "assistant_text_delta") && pieces++ === 0 ? [] : [frame]) };
    },
  },
  {
    sin: "ends turns twice",
    caughtBy: ["A14", "A16", "A7"],
    make: () => ({ says: (frame) => (tells(frame, "agent_turn_completed") ? [frame, frame] : [frame]) }),
  },
  {
    sin: "ends its second turn as error",
    caughtBy: ["A14"],
    make() {
      let ends = 0;
      return {
        says: (frame) => [
          tells(frame, "agent_turn_completed") && ++ends === 2 ? withReason(frame, "completed", "error") : frame,
        ],
      };
    },
  },
  {
    sin: "refuses an interrupt when nothing runs",
    caughtBy: ["A15"],
    make: hears((frame, agent) =>
      isCall(frame, "interrupt_session") && agent.openTurns === 0
        ? agent.answer(frame, { error: { code: -32_603, message: "Nothing runs" } })
        : frame,
    ),
  },
  {
    sin: "says that an interrupted turn has completed",
    caughtBy: ["A16", "A20"],
    make: says((frame) => withReason(frame, "cancelled", "completed")),
  },
];

/** Sins against docs/agents.md, "Asking people". */
const ASKING_MUTANTS: readonly AgentMutant[] = [
  {
    sin: "asks for permission without options",
    caughtBy: ["A17"],
    make: says((frame) =>
      isCall(frame, "request_permission") ? { ...frame, params: { ...frame.params, options: [] } } : frame,
    ),
  },
  {
    sin: "does not use the tool after a yes",
    caughtBy: ["A17"],
    make: hears((frame) =>
      frame.type === "response" && frame.result?.selectedOption === "proceed_once"
        ? { ...frame, result: { selectedOption: "cancel" } }
        : frame,
    ),
  },
  {
    sin: "ends a refused turn as cancelled",
    caughtBy: ["A18"],
    make() {
      let isRefused = false;
      return {
        hears(frame) {
          isRefused ||= frame.result?.selectedOption === "cancel";
          return frame;
        },
        says: (frame) => [isRefused ? withReason(frame, "completed", "cancelled") : frame],
      };
    },
  },
  {
    sin: "takes an error for a yes",
    caughtBy: ["A19"],
    make: hears(({ error, ...frame }) =>
      error && frame.type === "response"
        ? { ...frame, result: { selectedOption: "proceed_once" } }
        : { ...frame, ...(error ? { error } : {}) },
    ),
  },
  {
    sin: "cannot be interrupted while it asks",
    caughtBy: ["A20"],
    make() {
      let isAsking = false;
      return {
        hears: (frame, agent) =>
          isAsking && isCall(frame, "interrupt_session") ? agent.answer(frame, { result: {} }) : frame,
        says(frame) {
          isAsking ||= frame.type === "request";
          return [frame];
        },
      };
    },
  },
  {
    sin: "does not say which tool asks a question",
    caughtBy: ["A21"],
    make: says((frame) =>
      isCall(frame, "ask_user") ? { ...frame, params: { ...frame.params, toolCallId: undefined } } : frame,
    ),
  },
  {
    sin: "waits on after a question was cancelled",
    caughtBy: ["A21"],
    make: hears((frame) => (frame.result?.cancelled === true ? undefined : frame)),
  },
];

/** Every mutant breaks one law and keeps the others as far as that can be. */
export const AGENT_MUTANTS: readonly AgentMutant[] = [...LIFE_MUTANTS, ...TURN_MUTANTS, ...ASKING_MUTANTS];
