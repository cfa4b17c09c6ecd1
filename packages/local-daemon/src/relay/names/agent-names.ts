import { MESSAGING_LIMITS } from "../../limits/index.js";
import { LookAlikes } from "./look-alikes.js";

/** Names of the daemon's own parts (docs/wire/relay.md#reserved-names). */
const RESERVED = new Set(["Dashboard", "cli", "system", "_router", "_consensus", "_system", "__system__"]);

/** Reserved names of programs beside the daemon: user interfaces of the original. */
const COMPONENTS = new Set(["Dashboard", "cli"]);
const RESERVED_LOOKS = new LookAlikes(RESERVED);

/** Letters that have no shape of their own, and white space other than the common blank. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cf}\u2800]|(?! )\p{White_Space}/u;

/** Whether only a proven part of the daemon's own system may have the name. */
export function isReservedName(name: string): boolean {
  return RESERVED.has(name);
}

/** Whether a reserved name is that of a program beside the daemon, which sends nothing in the daemon's name. */
export function isComponentName(name: string): boolean {
  return COMPONENTS.has(name);
}

/** Whether lists leave the name out (docs/wire/relay.md#queries). */
export function isInternalName(name: string): boolean {
  return name.startsWith("__") || name === "Dashboard" || name === "cli";
}

/**
 * Why a name cannot be connected under, or undefined when it can. Checks length, control and invisible characters, what reads
 * as another address (`*`, `@users`, a channel's `#name`), and what looks like a reserved name.
 */
export function agentNameFault(name: string): string | undefined {
  const { nameChars } = MESSAGING_LIMITS;
  if (name.length === 0 || name.length > nameChars) {
    return `Invalid agent name: it must have 1 to ${nameChars} characters, this one has ${name.length}`;
  }
  if (name.trim() !== name) return "Invalid agent name: it must not begin or end with white space";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]/u.test(name)) {
    return "Invalid agent name: it must not hold control characters or half characters";
  }
  if (INVISIBLE.test(name)) return "Invalid agent name: it must not hold invisible characters";
  if (/^[*@#]/.test(name))
    return `Invalid agent name: it must not begin with "${name[0]}", which marks other addresses`;
  const reserved = RESERVED.has(name) ? undefined : RESERVED_LOOKS.find(name);
  return reserved === undefined
    ? undefined
    : `Invalid agent name: it looks like "${reserved}", which is reserved for system use`;
}
