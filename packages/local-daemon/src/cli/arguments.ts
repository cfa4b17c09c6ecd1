import { InvalidArgumentError } from "commander";

/** A port of an option. */
export function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError("A port is a number from 0 to 65535.");
}

/** A number of lines, messages or the like. */
export function countOf(text: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("A number is expected.");
}

/** Seconds, in ms. */
export function millisecondsOf(text: string): number {
  const seconds = Number(text);
  if (text.trim() !== "" && seconds >= 0 && seconds <= 86_400) return seconds * 1000;
  throw new InvalidArgumentError("A number of seconds from 0 to 86400 is expected.");
}
