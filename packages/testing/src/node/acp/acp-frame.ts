/** A message of the Agent Client Protocol, parsed and otherwise unchanged. */
export interface AcpFrame {
  readonly jsonrpc?: unknown;
  readonly id?: string | number | null;
  readonly method?: string;
  readonly result?: Readonly<Record<string, unknown>> | null;
  readonly error?: { readonly code?: unknown; readonly message?: unknown };
  readonly params?: Readonly<Record<string, unknown>> & { readonly update?: AcpUpdate };
}

/** The `update` of a `session/update`. */
export type AcpUpdate = Readonly<Record<string, unknown>> & { readonly sessionUpdate?: string };

/** The update of that session that a message is; undefined for any other message. */
export function updateOf(sessionId: string, { method, params }: AcpFrame): AcpUpdate | undefined {
  return method === "session/update" && params?.sessionId === sessionId ? params.update : undefined;
}

/** Updates that tell what a turn does. Titles, usage, commands and modes come at any time. */
const OF_TURNS: ReadonlySet<unknown> = new Set([
  ...["agent_message_chunk", "agent_thought_chunk"],
  ...["tool_call", "tool_call_update", "plan"],
]);

/** Whether an update is part of a turn. */
export function isOfTurn(update: AcpUpdate | undefined): boolean {
  return OF_TURNS.has(update?.sessionUpdate);
}

/** The text of an update of that kind; empty for any other. */
export function textOf(update: AcpUpdate | undefined, kind: string): string {
  const { text } = (update?.content ?? {}) as { text?: unknown };
  return update?.sessionUpdate === kind && typeof text === "string" ? text : "";
}
