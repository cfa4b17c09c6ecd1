import type { Update } from "./editor.js";

/** What a person reads of a list of updates: texts joined, each tool once with its last fields, the rest where it changes. */
export interface Told {
  readonly order: readonly string[];
  readonly tools: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const FIELDS = ["title", "kind", "rawInput", "locations"] as const;

export function toldBy(updates: readonly Update[]): Told {
  const order: string[] = [];
  const tools: Record<string, Record<string, unknown>> = {};
  const last = new Map<string, string>();
  let text: { kind: string; text: string } | undefined;
  const add = (item: string) => {
    if (text !== undefined) order.push(`${text.kind}: ${text.text}`);
    text = undefined;
    if (item !== "") order.push(item);
  };
  for (const update of updates) {
    const kind = update.sessionUpdate;
    switch (kind) {
      case "agent_message_chunk":
      case "agent_thought_chunk": {
        const block = update.content as { type: string; text?: string };
        if (block.type !== "text") add(`${kind} ${block.type}`);
        else if (block.text) {
          if (text?.kind !== kind) add("");
          text = { kind, text: (text?.text ?? "") + block.text };
        }
        break;
      }
      case "tool_call":
      case "tool_call_update": {
        const id = String(update.toolCallId);
        if (tools[id] === undefined) add(`tool ${id}`);
        tools[id] = merged(tools[id] ?? {}, update);
        break;
      }
      case "plan":
      case "available_commands_update":
      case "usage_update":
      case "session_info_update": {
        const json = JSON.stringify(simplified(update));
        if (json === undefined || json === last.get(kind)) break;
        last.set(kind, json);
        add(json);
        break;
      }
      default:
    }
  }
  add("");
  return { order, tools };
}

function merged(before: Record<string, unknown>, update: Update): Record<string, unknown> {
  const fields = Object.fromEntries(
    [...FIELDS, "status"].flatMap((key) =>
      update[key] === undefined || update[key] === null || JSON.stringify(update[key]) === "[]"
        ? []
        : [[key, update[key]]],
    ),
  );
  const content = update.content as { type: string }[] | undefined;
  const diffs = content?.filter(({ type }) => type === "diff");
  return { ...before, ...fields, ...(diffs !== undefined && diffs.length > 0 && { diffs }) };
}

function simplified(update: Update): object | undefined {
  switch (update.sessionUpdate) {
    case "session_info_update":
      return typeof update.title === "string" && update.title !== "" ? { title: update.title } : undefined;
    case "usage_update":
      return { used: update.used, size: update.size };
    case "available_commands_update":
      return { commands: (update.availableCommands as { name: string }[]).map(({ name }) => name) };
    default:
      return {
        plan: (update.entries as { content: string; status: string }[]).map(({ content, status }) => [content, status]),
      };
  }
}

/** The texts of a conversation, of the person and of the agent, without what it thought. */
export function textsOf(updates: readonly Update[]): string {
  return updates
    .flatMap(({ sessionUpdate, content }) =>
      sessionUpdate === "agent_message_chunk" ? [(content as { text?: string }).text ?? ""] : [],
    )
    .join("");
}
