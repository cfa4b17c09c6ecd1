import { isRecord } from "@daemon-sdk/protocol";

const JWT = /^[\w-]+\.([\w-]+)\.[\w-]+$/m;
const SERVICE = /^service ([A-Za-z0-9_-]{1,64})$/;

/**
 * The name of the service that credentials were made for by `enrol`; undefined for other credentials. Only a default: what the name may do
 * is for the server to say.
 */
export function serviceOf(credentials: string): string | undefined {
  const claims = JWT.exec(credentials)?.[1];
  if (claims === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/")));
    return isRecord(value) && typeof value.name === "string" ? SERVICE.exec(value.name)?.[1] : undefined;
  } catch {
    return undefined;
  }
}
