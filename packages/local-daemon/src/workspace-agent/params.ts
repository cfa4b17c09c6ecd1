import { isRecord, RpcCode, RpcFault } from "@daemon-sdk/protocol";

/** Unchecked params of a request. */
export type RawParams = Readonly<Record<string, unknown>>;

/** A parameter that must be a string; answers -32602 otherwise. */
export function textParam(params: RawParams, name: string): string {
  const value = params[name];
  if (typeof value === "string") return value;
  throw invalid(name, "a string");
}

/** An optional parameter that must be a string if present. */
export function optionalTextParam(params: RawParams, name: string): string | undefined {
  return params[name] === undefined ? undefined : textParam(params, name);
}

/** A parameter that must be true or false. */
export function flagParam(params: RawParams, name: string): boolean {
  const value = params[name];
  if (typeof value === "boolean") return value;
  throw invalid(name, "true or false");
}

/** A parameter that must be an array of objects; absent means empty. */
export function recordsParam(params: RawParams, name: string): Record<string, unknown>[] {
  const value = params[name] ?? [];
  if (Array.isArray(value) && value.every(isRecord)) return value;
  throw invalid(name, "an array of objects");
}

function invalid(name: string, expected: string): RpcFault {
  return new RpcFault(RpcCode.invalidParams, `Invalid params: ${name} must be ${expected}`);
}
