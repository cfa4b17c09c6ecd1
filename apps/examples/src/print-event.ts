import type { DroidStreamEvent } from "@daemon-sdk/client";

/** Prints an event in one line, after the label of its session. */
export function printEvent(label: string, event: DroidStreamEvent): void {
  const line = describe(event);
  if (line) console.log(`${label}  ${line}`);
}

function describe(event: DroidStreamEvent): string | undefined {
  switch (event.type) {
    case "assistant":
      return event.text === "" ? undefined : `says   ${oneLine(event.text)}`;
    case "tool_call":
      return `tool   ${event.toolUse.name} ${oneLine(JSON.stringify(event.toolUse.input))}`;
    case "tool_result":
      return `${event.isError ? "failed" : "result"} ${oneLine(asText(event.content))}`;
    case "error":
      return `error  ${event.message}`;
    case "session_notice":
      return `note   ${event.message}`;
    case "result":
      return `end    ${event.subtype} after ${Math.round(event.durationMs)} ms`;
    default:
      return undefined;
  }
}

function asText(content: unknown): string {
  return typeof content === "string" ? content : JSON.stringify(content);
}

function oneLine(text: string): string {
  const flat = text.trim().replaceAll(/\s*\n\s*/g, " | ");
  return flat.length > 100 ? `${flat.slice(0, 99)}…` : flat;
}
