import type { Agent } from "node:http";
import { InvalidOptionError } from "@daemon-sdk/protocol";
import { proxyOf } from "./proxy-variables.js";

/** The part of the optional package `https-proxy-agent` that is used. */
interface ProxyAgentPackage {
  readonly HttpsProxyAgent: new (proxy: URL) => Agent;
}

/**
 * The agent that connects to `target` through the proxy of the environment; undefined where there is none for it. Rejects with an
 * `InvalidOptionError` where there is one and the package for it is not installed: a link that avoids the proxy that somebody
 * demanded must not come about in silence.
 */
export async function environmentAgent(target: URL): Promise<Agent | undefined> {
  // This entry is also what runtimes load that are neither Node nor a browser.
  const proxy = typeof process === "undefined" ? undefined : proxyOf(target, process.env);
  if (proxy === undefined) return undefined;
  const loaded = await loadProxyAgent();
  if (loaded !== undefined) return new loaded.HttpsProxyAgent(proxy.url);
  throw new InvalidOptionError(
    proxy.variable,
    `unset for ${target.hostname} (see NO_PROXY), or the package https-proxy-agent must be installed; or pass \`agent\``,
  );
}

/** Bundlers go on without a module that is missing where its `import()` stands in a `try`, and only there. */
async function loadProxyAgent(): Promise<ProxyAgentPackage | undefined> {
  try {
    return (await import("https-proxy-agent")) as ProxyAgentPackage;
  } catch {
    return undefined;
  }
}
