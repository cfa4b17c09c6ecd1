import type { ContentBlock } from "@agentclientprotocol/sdk";
import { isRecord, type MessageBlock } from "@daemon-sdk/protocol";

/** Items of a list that are objects; what is no list has none. */
export function recordsOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

export function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function textBlock(text: string): ContentBlock {
  return { type: "text", text };
}

/** A block of a message as a content block of ACP; undefined for one that no editor shows, such as a use of a tool. */
export function contentBlock(block: MessageBlock): ContentBlock | undefined {
  switch (block.type) {
    case "text":
      return block.text === "" ? undefined : textBlock(block.text);
    case "image":
      return imageOf(block.source);
    case "document":
      return documentOf(block.source);
    default:
      return undefined;
  }
}

function imageOf(source: unknown): ContentBlock | undefined {
  if (!isRecord(source) || typeof source.data !== "string") return undefined;
  return { type: "image", data: source.data, mimeType: textOf(source.mediaType) ?? "image/png" };
}

function documentOf(source: unknown): ContentBlock | undefined {
  if (!isRecord(source) || typeof source.data !== "string") return undefined;
  const uri = textOf(source.name) ?? "attachment:///file";
  const mimeType = textOf(source.mediaType) ?? "text/plain";
  const held = source.type === "text" ? { text: source.data } : { blob: source.data };
  return { type: "resource", resource: { uri, mimeType, ...held } };
}

/** Text of a tool's result, which is a text, a list of blocks, or any JSON. */
export function resultText(content: unknown): string {
  if (content === undefined || content === null) return "";
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return JSON.stringify(content);
  return recordsOf(content)
    .flatMap((block) => (typeof block.text === "string" ? [block.text] : []))
    .join("\n");
}
