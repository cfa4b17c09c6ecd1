import { BlockList, isIP } from "node:net";
import { InvalidOptionError } from "@daemon-sdk/protocol";

/** A proxy, and the name of the variable that names it. */
export interface NamedProxy {
  readonly variable: string;
  readonly url: URL;
}

const VARIABLES = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] as const;

/**
 * The proxy that the environment names for a URL of `wss:`; undefined where the link is direct: for other schemes, for this machine,
 * and for the hosts of `NO_PROXY`.
 *
 * The rules are those of curl: a name in small letters counts first, and a domain in `NO_PROXY` stands for its subdomains, too.
 */
export function proxyOf(target: URL, env: NodeJS.ProcessEnv): NamedProxy | undefined {
  if (target.protocol !== "wss:") return undefined;
  const variable = VARIABLES.find((name) => env[name]?.trim());
  const host = target.hostname.replace(/^\[|\]$/g, "");
  if (variable === undefined || isLoopback(host)) return undefined;
  const exceptions = env.no_proxy?.trim() ? env.no_proxy : (env.NO_PROXY ?? "");
  const port = Number(target.port || 443);
  if (exceptions.split(/[\s,]+/).some((exception) => isExcepted(exception, host, port))) return undefined;
  return { variable, url: proxyUrl(variable, env[variable]?.trim() ?? "") };
}

function proxyUrl(variable: string, value: string): URL {
  const text = value.includes("://") ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && ["http:", "https:"].includes(url.protocol)) return url;
  // The value may hold a password, so the error does not repeat it.
  throw new InvalidOptionError(
    variable,
    "the URL of a proxy that starts with http:// or https://; for another kind pass `agent`",
  );
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || isWithin(host, "127.0.0.0/8") || host === "::1";
}

/** Whether an element of `NO_PROXY` names a host: `*`, a domain, an address, a range of addresses, each perhaps with a port. */
function isExcepted(exception: string, host: string, port: number): boolean {
  if (exception === "*") return true;
  if (exception.includes("/")) return isWithin(host, exception);
  const [, name = "", only] =
    /^\[?(.*?)\]?(?::(\d+))?$/.exec(isIP(exception) === 6 ? `[${exception}]` : exception) ?? [];
  if (only !== undefined && Number(only) !== port) return false;
  const domain = name.replace(/^\*?\./, "").toLowerCase();
  if (domain === "") return false;
  return host === domain || (isIP(host) === 0 && host.endsWith(`.${domain}`));
}

function isWithin(host: string, range: string): boolean {
  const [network = "", bits] = range.split("/");
  const version = isIP(host);
  if (version === 0 || isIP(network) !== version || !/^\d{1,3}$/.test(bits ?? "")) return false;
  const family = version === 4 ? "ipv4" : "ipv6";
  if (Number(bits) > (version === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(bits), family);
  return list.check(host, family);
}
