import { InvalidOptionError } from "@daemon-sdk/protocol";
import { HttpRefusal } from "../problem/index.js";

/** Which requests get as far as `authorize`. */
export interface SourceRules {
  readonly allowedHosts: ReadonlySet<string>;
  readonly allowedOrigins: ReadonlySet<string>;
}

/** Options of {@link sourceRules}. */
export interface SourceOptions {
  /** Values of `Host` that are accepted beside those of this machine, such as `agents.example.com`. */
  readonly allowedHosts?: readonly string[];
  /** Origins of web pages that may call, such as `https://app.example.com`. Default: none, so a page of any origin is refused. */
  readonly allowedOrigins?: readonly string[];
}

const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i;
const OWN_HOST = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?$/i;

/** The rules of the options, or an `InvalidOptionError` for what is no host or no origin. */
export function sourceRules({ allowedHosts = [], allowedOrigins = [] }: SourceOptions): SourceRules {
  for (const host of allowedHosts) {
    if (!HOST.test(host))
      throw new InvalidOptionError("allowedHosts", 'hosts such as "agents.example.com" (no URL, no wildcard)', host);
  }
  for (const origin of allowedOrigins) {
    if (origin.includes("*") || originOf(origin) !== origin)
      throw new InvalidOptionError("allowedOrigins", 'origins such as "https://app.example.com"', origin);
  }
  return {
    allowedHosts: new Set(allowedHosts.map((host) => host.toLowerCase())),
    allowedOrigins: new Set(allowedOrigins),
  };
}

/**
 * Refuses a request with a foreign `Host` or `Origin`, as the daemon's listener does. No authentication, because programs can send
 * any header: it keeps web pages out, also those whose name an attacker points at this machine.
 *
 * Returns the origin of the page that may call; undefined for a program.
 */
export function checkSource(request: Request, rules: SourceRules): string | undefined {
  const hosts = [request.headers.get("host") ?? undefined, new URL(request.url).host].filter(
    (one) => one !== undefined,
  );
  for (const host of hosts) {
    if (OWN_HOST.test(host) || rules.allowedHosts.has(host.toLowerCase())) continue;
    const text = "This host is not served. Call a host of this machine, or list the host in `allowedHosts`.";
    throw new HttpRefusal(403, "NOT_ALLOWED", text);
  }
  const origin = request.headers.get("origin") ?? undefined;
  if (origin === undefined || rules.allowedOrigins.has(origin)) return origin;
  const text = "Pages of this origin may not call. List the origin in `allowedOrigins`.";
  throw new HttpRefusal(403, "NOT_ALLOWED", text);
}

/** The origin of a URL text; undefined for what is none. */
function originOf(text: string): string | undefined {
  try {
    const { origin } = new URL(text);
    return origin === "null" ? undefined : origin;
  } catch {
    return undefined;
  }
}
