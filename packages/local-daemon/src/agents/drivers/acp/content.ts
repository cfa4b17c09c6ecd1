import { isRecord, type MessageBlock } from "@daemon-sdk/protocol";

/** Items of a list that are objects; what is no list has none. */
export function recordsOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

export function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/**
 * A content block of the agent as a block of a message, or as text where ours has no such block
 * (docs/wire/acp.md#content). Undefined for a block without content.
 */
export function readContent(block: unknown): MessageBlock | undefined {
  if (!isRecord(block)) return undefined;
  switch (block.type) {
    case "text":
      return typeof block.text === "string" ? { type: "text", text: block.text } : undefined;
    case "image":
      return { type: "image", source: { type: "base64", data: block.data, mediaType: block.mimeType } };
    case "audio":
      return { type: "document", source: { type: "base64", data: block.data, mediaType: block.mimeType } };
    case "resource_link":
      return { type: "text", text: `[${textOf(block.name) ?? String(block.uri)}](${String(block.uri)})` };
    case "resource":
      return isRecord(block.resource) ? readResource(block.resource) : undefined;
    default:
      return undefined;
  }
}

function readResource({ text, blob, uri, mimeType }: Record<string, unknown>): MessageBlock {
  if (typeof text === "string") {
    return { type: "document", source: { type: "text", mediaType: "text/plain", data: text, name: uri } };
  }
  return { type: "document", source: { type: "base64", mediaType: mimeType, data: blob, name: uri } };
}

/** Text of a tool's content, one item after the other; diffs and terminals have none. */
export function toolText(content: unknown): string {
  const texts: string[] = [];
  for (const item of recordsOf(content)) {
    if (item.type !== "content") continue;
    const block = readContent(item.content);
    if (block?.type === "text") texts.push(block.text);
  }
  return texts.join("\n");
}

/** Text of a tool's raw output: the string, or the key that agents put it in; else its JSON. */
export function rawText(rawOutput: unknown): string {
  if (rawOutput === undefined || rawOutput === null) return "";
  if (typeof rawOutput === "string") return rawOutput;
  if (isRecord(rawOutput)) {
    const text = rawOutput.output ?? rawOutput.text ?? rawOutput.content ?? rawOutput.error;
    if (typeof text === "string") return text;
  }
  return JSON.stringify(rawOutput);
}
