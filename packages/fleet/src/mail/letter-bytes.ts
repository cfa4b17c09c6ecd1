import { isRecord } from "@daemon-sdk/protocol";
import type { MailAccount, MailLetter, MailReport } from "@daemon-sdk/protocol/relay";

const LINE_END = 0x0a;

/** A letter as it is published: a line of JSON, then the message itself, which need not be quoted so. */
export function encodeLetter({ text, ...head }: MailLetter): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(head)}\n${text}`);
}

/** The letter of a message; undefined when it is none. */
export function decodeLetter(bytes: Uint8Array): MailLetter | undefined {
  const end = bytes.indexOf(LINE_END);
  if (end < 0) return undefined;
  const decoder = new TextDecoder();
  const head = parsed(decoder.decode(bytes.subarray(0, end)));
  if (!isRecord(head)) return undefined;
  const { generation, start, position, lowWater } = head;
  if (!isCount(generation) || !isCount(start) || !isCount(position) || !isCount(lowWater)) return undefined;
  return { generation, start, position, lowWater, text: decoder.decode(bytes.subarray(end + 1)) };
}

/** The account of a message; undefined when it is none. */
export function decodeAccount(bytes: Uint8Array): MailReport | undefined {
  const account = parsed(new TextDecoder().decode(bytes));
  if (!isRecord(account)) return undefined;
  const { generation, position, refused, isGap } = account;
  if (!isCount(generation) || !isCount(position) || !isRuns(refused)) return undefined;
  return { generation, position, refused, isGap: isGap === true };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isRuns(value: unknown): value is MailAccount["refused"] {
  return Array.isArray(value) && value.every((run) => Array.isArray(run) && run.length === 2 && run.every(isCount));
}
