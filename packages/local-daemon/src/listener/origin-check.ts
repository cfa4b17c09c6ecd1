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
}

/**
 * Why the request is refused (403), or undefined when it may go on. Not an authentication: programs can send any header;
 * this keeps web pages out, which cannot.
 *
 * - Host (TCP): exactly one, exactly `127.0.0.1:port`, `[::1]:port` or `localhost:port`; so a name that an attacker
 *   points at 127.0.0.1 does not pass (DNS rebinding).
 * - Origin: absent (a program), or exactly one of the configured ones; never a prefix, a suffix or `null`.
 */
export function refusalOf(source: RequestSource, policy: SourcePolicy): "host" | "origin" | undefined {
  if (policy.port !== undefined && !isOwnHost(source.host, policy.port)) return "host";
  if (source.origin.length > 0 && !isAllowedOrigin(source.origin, policy.allowedOrigins)) return "origin";
  return undefined;
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

function isOwnHost(hosts: readonly string[], port: number): boolean {
  const [host] = hosts;
  return (
    hosts.length === 1 && (host === `127.0.0.1:${port}` || host === `localhost:${port}` || host === `[::1]:${port}`)
  );
}

function isAllowedOrigin(origins: readonly string[], allowed: ReadonlySet<string>): boolean {
  const [origin] = origins;
  return origins.length === 1 && origin !== undefined && parsedOrigin(origin) === origin && allowed.has(origin);
}

/** The origin of a URL text, or undefined for what is none (`null`, opaque schemes). */
function parsedOrigin(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { origin } = new URL(text);
  return origin === "null" ? undefined : origin;
}
