import { styleText } from "node:util";
import { isRecord } from "@daemon-sdk/protocol";

/** Control characters, but the tab: what an agent wrote must not control the terminal. */
const CONTROL = /(?!\t)\p{Cc}/gu;

const STYLES = { debug: "dim", info: "green", warn: "yellow", error: "red" } as const;

/** A line of the log for people: time, level, message, then the fields. Ends with a newline; a line that is no JSON stays as it is. */
export function readableLine(line: string, { isStyled }: { readonly isStyled: boolean }): string {
  const { time, level, msg, ...fields } = parsed(line);
  if (typeof time !== "string") return line;
  const style = (format: Parameters<typeof styleText>[0], text: string) =>
    isStyled ? styleText(format, text, { validateStream: false }) : text;
  const color = isLevel(level) ? STYLES[level] : "reset";
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  const parts = [
    style("dim", new Date(time).toTimeString().slice(0, 8)),
    style(color, String(level).toUpperCase().padEnd(5)),
    clean(String(msg)),
    style("dim", clean(rest.join(" "))),
  ];
  return `${parts.join(" ").trimEnd()}\n`;
}

function isLevel(level: unknown): level is keyof typeof STYLES {
  return typeof level === "string" && level in STYLES;
}

function clean(text: string): string {
  return text.replace(CONTROL, " ");
}

function parsed(line: string): Record<string, unknown> {
  try {
    const fields: unknown = JSON.parse(line);
    return isRecord(fields) ? fields : {};
  } catch {
    return {};
  }
}
