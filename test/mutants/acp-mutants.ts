import type { AcpMessage } from "./acp-model.js";
import type { AcpSin, SinfulAcpAgent } from "./sinful-acp-agent.js";

/** An ACP agent that breaks one law. */
export interface AcpMutant {
  readonly sin: string;
  /** The case that names the sin, first; then others that cannot but see it, too. */
  readonly caughtBy: readonly [string, ...string[]];
  /** A fresh one for each process. */
  make(): AcpSin;
}

type Change = (message: AcpMessage, agent: SinfulAcpAgent) => AcpMessage | undefined;

function says(change: Change): () => AcpSin {
  return () => ({
    says(message, agent) {
      const said = change(message, agent);
      return said ? [said] : [];
    },
  });
}

function hears(change: Change): () => AcpSin {
  return () => ({ hears: change });
}

function withResult(method: string, change: (result: object) => object): () => AcpSin {
  return says((message, agent) => {
    const { result } = message;
    return result && agent.methodOf(message) === method ? { ...message, result: { ...change(result) } } : message;
  });
}

function updateOf({ method, params }: AcpMessage): Record<string, unknown> | undefined {
  return method === "session/update" ? (params?.update as Record<string, unknown>) : undefined;
}

/** Changes the updates of one kind. */
function withUpdate(kind: string, change: (update: object) => object): () => AcpSin {
  return says((message) => {
    const update = updateOf(message);
    if (update?.sessionUpdate !== kind) return message;
    return { ...message, params: { ...message.params, update: change(update) } };
  });
}

const LIFE_MUTANTS: readonly AcpMutant[] = [
  {
    sin: "prints a banner on stdout",
    caughtBy: ["C1"],
    make() {
      let printed = 0;
      return { prints: (line) => (printed++ === 0 ? ["Ready.", line] : [line]) };
    },
  },
  {
    sin: "leaves the version of JSON-RPC out",
    caughtBy: ["C1"],
    make: () => ({ prints: (line) => [line.replace('"jsonrpc":"2.0",', "")] }),
  },
  {
    sin: "answers a notification that it does not know",
    caughtBy: ["C2"],
    make: () => ({
      hears(message, agent) {
        if (message.method === "_unheard/of") agent.say({ id: null, error: { code: -32_601, message: "unknown" } });
        return message;
      },
    }),
  },
  {
    sin: "dies of a notification that it does not know",
    caughtBy: ["C2"],
    make() {
      let isDead = false;
      return {
        hears(message) {
          isDead ||= message.method === "_unheard/of";
          return isDead ? undefined : message;
        },
      };
    },
  },
  {
    sin: "states no capabilities",
    caughtBy: ["C3"],
    make: withResult("initialize", () => ({ protocolVersion: 1 })),
  },
  {
    sin: "repeats the version of its client",
    caughtBy: ["C4"],
    make: says((message, agent) => {
      const { result, id } = message;
      if (result === undefined || agent.methodOf(message) !== "initialize") return message;
      return { ...message, result: { ...result, protocolVersion: agent.requests.get(id)?.params?.protocolVersion } };
    }),
  },
  {
    sin: "gives every session the same id",
    caughtBy: ["C5"],
    make() {
      let first: unknown;
      return {
        hears(message) {
          if (message.params?.sessionId === "the-session")
            return { ...message, params: { ...message.params, sessionId: first } };
          return message;
        },
        says(message, agent) {
          if (agent.methodOf(message) === "session/new" && message.result) {
            first ??= message.result.sessionId;
            return [{ ...message, result: { ...message.result, sessionId: first } }];
          }
          return [message];
        },
      };
    },
  },
  {
    sin: "answers unknown methods with an empty result",
    caughtBy: ["C6", "C7"],
    make: says((message) => (message.error?.code === -32_601 ? { id: message.id ?? null, result: {} } : message)),
  },
  {
    sin: "answers ids that are numbers as texts",
    // Every call of a number waits for its answer.
    caughtBy: [
      "C7",
      "C1",
      "C2",
      "C3",
      "C4",
      "C5",
      "C6",
      "C8",
      "C9",
      "C10",
      "C11",
      "C12",
      "C13",
      "C14",
      "C15",
      "C16",
      "C17",
      "C18",
      "C19",
      "C20",
      "C21",
    ],
    make: says((message) => (typeof message.id === "number" ? { ...message, id: String(message.id) } : message)),
  },
  {
    sin: "ends a prompt of an unknown session as if it had run",
    caughtBy: ["C8"],
    make: says((message, agent) =>
      message.error?.code === -32_002 && agent.methodOf(message) === "session/prompt"
        ? { id: message.id ?? null, result: { stopReason: "end_turn" } }
        : message,
    ),
  },
  {
    sin: "loads a conversation without its answers",
    caughtBy: ["C9"],
    make: () => {
      let isLoading = false;
      return {
        hears(message) {
          isLoading ||= message.method === "session/load";
          return message;
        },
        says(message, agent) {
          if (agent.methodOf(message) === "session/load") isLoading = false;
          return isLoading && updateOf(message)?.sessionUpdate === "agent_message_chunk" ? [] : [message];
        },
      };
    },
  },
  {
    sin: "loads a session that it does not know",
    caughtBy: ["C10"],
    make: says((message, agent) =>
      message.error?.code === -32_002 && agent.methodOf(message) === "session/load"
        ? { id: message.id ?? null, result: {} }
        : message,
    ),
  },
  {
    sin: "exits with 1 when its stdin ends",
    caughtBy: ["C11", "C9"],
    make: () => ({ exits: () => ({ code: 1, signal: null }) }),
  },
  {
    sin: "goes on with its turn when its stdin ends",
    caughtBy: ["C12"],
    make: () => ({ exits: (exit, agent) => (agent.openTurns > 0 ? undefined : exit) }),
  },
];

const TURN_MUTANTS: readonly AcpMutant[] = [
  {
    sin: "answers a prompt twice",
    caughtBy: ["C13", "C17"],
    make: () => ({
      says: (message, agent) => (agent.methodOf(message) === "session/prompt" ? [message, message] : [message]),
    }),
  },
  {
    sin: "runs one prompt and refuses the next",
    caughtBy: ["C13", "C17"],
    make() {
      let ends = 0;
      return {
        says(message, agent) {
          const isEnd = message.result !== undefined && agent.methodOf(message) === "session/prompt";
          return isEnd && ++ends > 1 ? [{ id: message.id ?? null, result: { stopReason: "refusal" } }] : [message];
        },
      };
    },
  },
  {
    sin: "answers without a text",
    caughtBy: ["C14", "C9", "C12", "C17"],
    make: withUpdate("agent_message_chunk", () => ({ sessionUpdate: "session_info_update", title: "x" })),
  },
  {
    sin: "tells its text under another session",
    caughtBy: ["C14", "C9", "C12", "C17"],
    make: says((message) =>
      updateOf(message)?.sessionUpdate === "agent_message_chunk"
        ? { ...message, params: { ...message.params, sessionId: "another" } }
        : message,
    ),
  },
  {
    sin: "tells a piece of text behind the end",
    caughtBy: ["C15"],
    make: () => ({
      says(message, agent) {
        const isEnd = agent.methodOf(message) === "session/prompt" && message.result !== undefined;
        if (!isEnd) return [message];
        const { sessionId } = agent.requests.get(message.id)?.params ?? {};
        const update = { sessionUpdate: "agent_message_chunk", content: { type: "text", text: "late" } };
        return [message, { method: "session/update", params: { sessionId, update } }];
      },
    }),
  },
  {
    sin: "keeps a cancel for the next prompt",
    caughtBy: ["C16"],
    make() {
      let isKept = false;
      return {
        hears(message, agent) {
          isKept ||= message.method === "session/cancel" && agent.openTurns === 0;
          return message;
        },
        says(message, agent) {
          if (!isKept || message.result === undefined || agent.methodOf(message) !== "session/prompt") return [message];
          isKept = false;
          return [{ ...message, result: { stopReason: "cancelled" } }];
        },
      };
    },
  },
  {
    sin: "says that a cancelled turn has completed",
    caughtBy: ["C17", "C21"],
    make: withResult("session/prompt", (result) => ({ ...result, stopReason: "end_turn" })),
  },
  {
    sin: "answers a cancelled prompt with an error",
    caughtBy: ["C17", "C21"],
    make: says((message) =>
      message.result?.stopReason === "cancelled"
        ? { id: message.id ?? null, error: { code: -32_603, message: "Aborted" } }
        : message,
    ),
  },
  {
    sin: "asks for permission without kinds of options",
    caughtBy: ["C18", "C19"],
    make: says((message) =>
      message.method === "session/request_permission"
        ? { ...message, params: { ...message.params, options: [{ optionId: "yes", name: "Yes" }] } }
        : message,
    ),
  },
  {
    sin: "does not use the tool after a yes",
    caughtBy: ["C18"],
    make: withUpdate("tool_call_update", (update) => ({ ...update, status: "failed" })),
  },
  {
    sin: "uses the tool after a no",
    caughtBy: ["C19"],
    make: hears((message) => {
      const { outcome } = (message.result ?? {}) as { outcome?: { optionId?: string } };
      return outcome?.optionId === "no"
        ? { ...message, result: { outcome: { outcome: "selected", optionId: "yes" } } }
        : message;
    }),
  },
  {
    sin: "takes an error for a yes",
    caughtBy: ["C20"],
    make: hears((message) =>
      message.error !== undefined && message.method === undefined
        ? { id: message.id ?? null, result: { outcome: { outcome: "selected", optionId: "yes" } } }
        : message,
    ),
  },
  {
    sin: "cannot be cancelled while it asks",
    caughtBy: ["C21"],
    make() {
      let isAsking = false;
      return {
        hears(message) {
          if (isAsking && message.method === "session/cancel") return undefined;
          const { outcome } = (message.result ?? {}) as { outcome?: { outcome?: string } };
          if (outcome?.outcome !== "cancelled") return message;
          return { ...message, result: { outcome: { outcome: "selected", optionId: "no" } } };
        },
        says(message) {
          isAsking ||= message.method === "session/request_permission";
          return [message];
        },
      };
    },
  },
];

/** Every mutant breaks one law and keeps the others as far as that can be. */
export const ACP_MUTANTS: readonly AcpMutant[] = [...LIFE_MUTANTS, ...TURN_MUTANTS];
