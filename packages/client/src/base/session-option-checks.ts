import { InvalidOptionError } from "@daemon-sdk/protocol";

// Checks that no connection needs: a page loads them beside the dial.

/** Throws when `value` is defined and is neither true nor false. */
export function checkBoolean(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== "boolean") throw new InvalidOptionError(option, "true or false", value);
}

/** Throws when `value` is defined and is not an array whose items pass `checkItem`. */
export function checkList(
  option: string,
  value: unknown,
  what: string,
  checkItem: (option: string, item: unknown) => void,
): void {
  if (value === undefined) return;
  if (!Array.isArray(value)) throw new InvalidOptionError(option, `an array of ${what}`, value);
  value.forEach((item, index) => {
    if (item === undefined) throw new InvalidOptionError(`${option}[${index}]`, what, item);
    checkItem(`${option}[${index}]`, item);
  });
}
