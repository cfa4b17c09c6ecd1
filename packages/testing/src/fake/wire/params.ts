import { type Credit, RpcCode } from "@daemon-sdk/protocol";
import { rpcFault } from "./frames.js";

/** A required string, such as `caller` or `cwd` (docs/wire/session.md#methods). */
export function requiredString(params: Record<string, unknown>, name: string): string {
  const value = params[name];
  if (typeof value === "string") return value;
  throw rpcFault(RpcCode.invalidParams, `Invalid params: ${name} must be a string`);
}

export function optionalString(params: Record<string, unknown>, name: string): string | undefined {
  return params[name] === undefined ? undefined : requiredString(params, name);
}

/** `{ events, bytes }` of a call or notification; undefined if absent. */
export function optionalCredit(value: unknown): Credit | undefined {
  if (value === undefined) return undefined;
  if (isWholeNumbers(value, "events", "bytes")) {
    const { events, bytes } = value;
    return Reflect.get(value, "batches") === true ? { events, bytes, batches: true } : { events, bytes };
  }
  throw rpcFault(
    RpcCode.invalidParams,
    "Invalid params: credit must be { events, bytes }, both whole and not negative",
  );
}

/** Whether `value` has these keys, each with a whole number from 0. */
export function isWholeNumbers<Key extends string>(value: unknown, ...keys: Key[]): value is Record<Key, number> {
  if (typeof value !== "object" || value === null) return false;
  return keys.every((key) => {
    const number: unknown = Reflect.get(value, key);
    return Number.isInteger(number) && Number(number) >= 0;
  });
}

/** Size of a value as JSON in UTF-8. */
export function utf8BytesOf(value: object): number {
  return new TextEncoder().encode(JSON.stringify(value)).byteLength;
}
