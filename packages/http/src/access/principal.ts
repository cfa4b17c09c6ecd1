import { DaemonError } from "@daemon-sdk/protocol";
import { HttpRefusal } from "../problem/index.js";

/** In whose name a request acts. */
export interface HttpPrincipal {
  /** The same for each request of the same caller: bounds are counted by it, and webhooks are stored with it. No secret. */
  readonly id: string;
}

/**
 * Authenticates a request. Resolves with its principal; with 401 where the caller is not known, with 403 where it may not do that.
 * The path of the request names what is requested. A throw is answered with 500, and nothing is done.
 */
export type Authorize = (request: Request) => HttpPrincipal | 401 | 403 | Promise<HttpPrincipal | 401 | 403>;

/** The principal of a request. Throws the refusal. */
export async function authorized(authorize: Authorize, request: Request): Promise<HttpPrincipal> {
  const found: unknown = await authorize(request);
  if (found === 401) throw new HttpRefusal(401, "AUTH_MISSING", "No valid credential was sent in `Authorization`.");
  if (found === 403) throw new HttpRefusal(403, "NOT_ALLOWED", "The caller may not do this.");
  if (isPrincipal(found)) return found;
  // Whatever else it returns, such as undefined or true, lets nobody in.
  throw new DaemonError("INTERNAL", "`authorize` must resolve with { id }, 401 or 403; nobody is let in.");
}

function isPrincipal(value: unknown): value is HttpPrincipal {
  const id: unknown = Object(value).id;
  return typeof value === "object" && value !== null && typeof id === "string" && id !== "";
}
