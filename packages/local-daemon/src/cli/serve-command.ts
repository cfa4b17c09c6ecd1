import { join } from "node:path";
import { DaemonError, InvalidOptionError } from "@daemon-sdk/protocol";
import type { Command } from "commander";
import { type ConfigFile, readConfigFile } from "../config-file/index.js";
import { STATE_FILES } from "../rendezvous/index.js";
import { portOf } from "./arguments.js";
import type { CommandLine } from "./command-line.js";
import { describeError, EXIT } from "./fail.js";
import { type Fleet, openFleet } from "./open-fleet.js";
import type { Terminal } from "./terminal.js";

type ApiKey = NonNullable<ConfigFile["apiKeys"]>[number];

/** Adds `serve`. */
export function addServeCommand(program: Command, cli: CommandLine): void {
  cli
    .command(program, "serve", "serve the daemon to programs in any language; needs the package @daemon-sdk/http")
    .option("--http", "sessions, events and webhooks over HTTP, for callers with a key of config.json", false)
    .option("-p, --port <n>", "listen on 127.0.0.1:<n> (0: a free port)", portOf, 0)
    .option("--webhook-origin <origins...>", "origins to which webhooks may be delivered; default none", [])
    .option(
      "--fleet <servers>",
      "serve all machines of a fleet over these NATS servers, in place of the daemon; needs @daemon-sdk/fleet",
    )
    .option("--creds <file>", "with --fleet: credentials for NATS")
    .option("--tenant <name>", "with --fleet: the tenant (default: default)")
    .option("--domain <name>", "with --fleet: domain of the cluster's JetStream, behind a leaf (default: none)")
    .action(
      cli.action(
        (context, options: Omit<ServeOptions, keyof typeof context>) => serve({ ...context, ...options }),
        "abort",
      ),
    );
}

/** `local-daemon serve`. */
export interface ServeOptions {
  readonly stateDir: string;
  readonly http: boolean;
  readonly port?: number | undefined;
  /** Origins to which webhooks may be delivered. */
  readonly webhookOrigin: readonly string[];
  /** NATS servers of the fleet that is served in place of the daemon. */
  readonly fleet?: string | undefined;
  readonly creds?: string | undefined;
  readonly tenant?: string | undefined;
  readonly domain?: string | undefined;
  readonly json: boolean;
  readonly terminal: Terminal;
  readonly interrupted: AbortSignal;
}

/** Serves the daemon, or a fleet, over HTTP until it is interrupted. Resolves with the exit code. */
export async function serve(options: ServeOptions): Promise<number> {
  const { http, json, terminal, interrupted, fleet: servers, creds, tenant, domain } = options;
  if (!http) throw new InvalidOptionError("http", "given: there is nothing else to serve");
  await using fleet = servers === undefined ? undefined : await openFleet({ servers, creds, tenant, domain });
  await using server = await startServer(options, fleet);
  const url = `http://127.0.0.1:${server.port}`;
  if (json) terminal.json({ url, port: server.port });
  else terminal.answer(`Serving ${url} (openapi.json describes it). Ctrl-C stops.\n`);
  await new Promise<void>((resolve) => {
    if (interrupted.aborted) resolve();
    else interrupted.addEventListener("abort", () => resolve(), { once: true });
  });
  return EXIT.ok;
}

async function startServer(
  { stateDir, port, webhookOrigin: receivers, terminal }: ServeOptions,
  fleet: Fleet | undefined,
): Promise<AsyncDisposable & { readonly port: number }> {
  const { serveLocalDaemon, serveFleet } = await loadHttp();
  const config = await readConfigFile(stateDir);
  const { allowedHosts = [], allowedOrigins = [] } = config;
  const common = {
    ...{ allowedHosts, allowedOrigins },
    ...(port === undefined ? {} : { port }),
    ...(receivers.length === 0 ? {} : { webhooks: { directory: join(stateDir, STATE_FILES.webhooks), receivers } }),
    onError: (error: unknown) => terminal.note(describeError(error)),
  };
  if (fleet === undefined) return serveLocalDaemon({ ...common, apiKeys: keysOf(config, stateDir, () => true) });
  return serveFleet(fleet, { ...common, apiKeys: keysOf(config, stateDir, isUnbound) });
}

/** Reads the keys as they are now, as the daemon does at a reload: a faulty file changes nothing. */
function keysOf(
  config: ConfigFile,
  stateDir: string,
  isCaller: (key: ApiKey) => boolean,
): () => Promise<readonly string[]> {
  let { apiKeys = [] } = config;
  return async () => {
    ({ apiKeys = [] } = await readConfigFile(stateDir).catch(() => ({ apiKeys })));
    return apiKeys.filter(isCaller).map((one) => (typeof one === "string" ? one : one.key));
  };
}

/** No machine of a fleet knows the policies of this file, so a key that has one would be without it there. */
function isUnbound(key: ApiKey): boolean {
  return typeof key === "string" || Object.keys(key).every((field) => field === "key" || field === "name");
}

/** The package is an optional peer: it contains a client, and the daemon must not depend on its clients. */
async function loadHttp(): Promise<typeof import("@daemon-sdk/http/serve")> {
  try {
    return await import("@daemon-sdk/http/serve");
  } catch (cause) {
    const text = "This needs the package @daemon-sdk/http. Install it where @daemon-sdk/local-daemon is installed.";
    throw new DaemonError("LOCAL_DAEMON_UNAVAILABLE", `${text} ${describeError(cause)}`, { cause });
  }
}
