import { InvalidOptionError } from "@daemon-sdk/protocol";

/** The headers of a request's origin, each with all received values. */
export interface RequestSource {
  readonly host: readonly string[];
  readonly origin: readonly string[];
}

/** What this listener accepts. */
export interface SourcePolicy {
  /** The port that was bound on 127.0.0.1; absent on the unix socket, where no page and no other host gets to. */
  readonly port: number | undefined;
  readonly allowedOrigins: ReadonlySet<string>;
  /** Further values of Host, in lower case. */
  readonly allowedHosts: ReadonlySet<string>;
  /** Whether a page that this daemon served itself may ask: its Origin is its Host. Default false. */
  readonly ownPages?: boolean;
}

/**
 * Why the request is refused (403), or undefined when it may go on. Not an authentication: programs can send any header;
 * this keeps web pages out, which cannot.
 *
 * - Host (TCP): exactly one, exactly `127.0.0.1:port`, `[::1]:port`, `localhost:port` or a configured one; so a name that an
 *   attacker points at 127.0.0.1 does not pass (DNS rebinding).
 * - Origin: absent (a program), or exactly one of the configured ones; never a prefix, a suffix or `null`.
 */
export function refusalOf(source: RequestSource, policy: SourcePolicy): "host" | "origin" | undefined {
  if (policy.port !== undefined && !isOwnHost(source.host, policy.port, policy.allowedHosts)) return "host";
  if (source.origin.length === 0 || isAllowedOrigin(source.origin, policy.allowedOrigins)) return undefined;
  return policy.ownPages === true && isOwnPage(source) ? undefined : "origin";
}

/**
 * Configured origins in the form in which browsers send them, or an `InvalidOptionError` for what is no origin: a path,
 * a wildcard, a missing scheme.
 */
export function parseAllowedOrigins(origins: readonly string[]): ReadonlySet<string> {
  for (const origin of origins) {
    // A URL parser takes a star for a host name, but a star stands for more than one origin.
    if (parsedOrigin(origin) !== origin || origin.includes("*")) {
      throw new InvalidOptionError(
        "allowedOrigins",
        'a list of origins such as "https://app.example.com" (no path, no wildcard)',
        origin,
      );
    }
  }
  return new Set(origins);
}

/**
 * Configured hosts in the form in which `Host` is compared, or an `InvalidOptionError` for what is none: a URL, a path, a
 * wildcard.
 */
export function parseAllowedHosts(hosts: readonly string[]): ReadonlySet<string> {
  for (const host of hosts) {
    if (!HOST.test(host)) {
      throw new InvalidOptionError(
        "allowedHosts",
        'a list of hosts such as "localhost:9000" (no URL, no wildcard)',
        host,
      );
    }
  }
  return new Set(hosts.map((host) => host.toLowerCase()));
}

/** A name or an address, and a port unless it is that of the scheme. */
const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i;

function isOwnHost(hosts: readonly string[], port: number, allowed: ReadonlySet<string>): boolean {
  const [host] = hosts;
  if (hosts.length !== 1 || host === undefined) return false;
  const isOwn = host === `127.0.0.1:${port}` || host === `localhost:${port}` || host === `[::1]:${port}`;
  return isOwn || allowed.has(host.toLowerCase());
}

function isAllowedOrigin(origins: readonly string[], allowed: ReadonlySet<string>): boolean {
  const [origin] = origins;
  return origins.length === 1 && origin !== undefined && parsedOrigin(origin) === origin && allowed.has(origin);
}

/** Whether the page comes from the very host and port that it asks, which served it. A proxy in between may speak TLS. */
function isOwnPage({ host, origin }: RequestSource): boolean {
  if (host.length !== 1 || origin.length !== 1) return false;
  return origin[0] === `http://${host[0]}` || origin[0] === `https://${host[0]}`;
}

/** The origin of a URL text, or undefined for what is none (`null`, opaque schemes). */
function parsedOrigin(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { origin } = new URL(text);
  return origin === "null" ? undefined : origin;
}
