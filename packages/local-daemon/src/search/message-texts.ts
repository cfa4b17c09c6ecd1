import type { MessageBlock, SessionMessage } from "@daemon-sdk/protocol";
import { SEARCH_LIMITS } from "../limits/index.js";

/**
 * Kinds of text in one message, as `search_sessions` names them (docs/wire/session.md#session-lists); the place is the
 * number in the index.
 */
export const TEXT_KINDS = ["message_text", "tool_use", "tool_result", "document"] as const;

/** Kind of a piece of a message's text. */
export type TextKind = (typeof TEXT_KINDS)[number];

/** One piece of a message that can be found. */
export interface SearchableText {
  readonly kind: TextKind;
  readonly text: string;
  readonly toolName: string | undefined;
}

/** What of a message can be found, one piece for each kind it holds. */
export function searchableTexts(message: SessionMessage): SearchableText[] {
  const pieces = new Map<TextKind, { texts: string[]; toolName: string | undefined }>();
  const add = (kind: TextKind, text: string, toolName?: string) => {
    const piece = pieces.get(kind) ?? { texts: [], toolName };
    piece.texts.push(text);
    pieces.set(kind, piece);
  };
  for (const block of message.content) addBlock(block, add);
  return [...pieces].map(([kind, { texts, toolName }]) => ({
    kind,
    text: texts.join("\n").slice(0, SEARCH_LIMITS.indexedChars),
    toolName,
  }));
}

function addBlock(block: MessageBlock, add: (kind: TextKind, text: string, toolName?: string) => void): void {
  switch (block.type) {
    case "text":
      add("message_text", String(block.text));
      break;
    case "tool_use":
      add("tool_use", `${block.name} ${JSON.stringify(block.input ?? {})}`, String(block.name));
      break;
    case "tool_result":
      add("tool_result", typeof block.content === "string" ? block.content : JSON.stringify(block.content ?? ""));
      break;
    case "document":
      add("document", JSON.stringify(block.source ?? ""));
      break;
    default:
      break;
  }
}
