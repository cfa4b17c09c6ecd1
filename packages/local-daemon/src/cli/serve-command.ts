import { join } from "node:path";
import { DaemonError, InvalidOptionError } from "@daemon-sdk/protocol";
import type { Command } from "commander";
import { type ConfigFile, readConfigFile } from "../config-file/index.js";
import { STATE_FILES } from "../rendezvous/index.js";
import { portOf } from "./arguments.js";
import type { CommandLine } from "./command-line.js";
import { describeError, EXIT } from "./fail.js";
import type { Terminal } from "./terminal.js";

/** Adds `serve`. */
export function addServeCommand(program: Command, cli: CommandLine): void {
  cli
    .command(program, "serve", "serve the daemon to programs in any language; needs the package @daemon-sdk/http")
    .option("--http", "sessions, events and webhooks over HTTP, for callers with a key of config.json", false)
    .option("-p, --port <n>", "listen on 127.0.0.1:<n> (0: a free port)", portOf, 0)
    .option("--webhook-origin <origins...>", "origins to which webhooks may be delivered; default none", [])
    .action(
      cli.action(
        (context, options: { http: boolean; port: number; webhookOrigin: string[] }) =>
          serve({ ...context, ...options }),
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
  readonly json: boolean;
  readonly terminal: Terminal;
  readonly interrupted: AbortSignal;
}

/** Serves the daemon over HTTP until it is interrupted. Resolves with the exit code. */
export async function serve(options: ServeOptions): Promise<number> {
  const { stateDir, http, port, webhookOrigin: receivers, json, terminal, interrupted } = options;
  if (!http) {
    throw new InvalidOptionError("http", "given: there is nothing else to serve");
  }
  const { serveLocalDaemon } = await loadHttp();
  const config = await readConfigFile(stateDir);
  const { allowedHosts = [], allowedOrigins = [] } = config;
  const server = await serveLocalDaemon({
    apiKeys: keysOf(config, stateDir),
    allowedHosts,
    allowedOrigins,
    ...(port === undefined ? {} : { port }),
    ...(receivers.length === 0 ? {} : { webhooks: { directory: join(stateDir, STATE_FILES.webhooks), receivers } }),
    onError: (error) => terminal.note(describeError(error)),
  });
  const url = `http://127.0.0.1:${server.port}`;
  if (json) terminal.json({ url, port: server.port });
  else terminal.answer(`Serving ${url} (openapi.json describes it). Ctrl-C stops.\n`);
  await new Promise<void>((resolve) => {
    if (interrupted.aborted) resolve();
    else interrupted.addEventListener("abort", () => resolve(), { once: true });
  });
  await server.close();
  return EXIT.ok;
}

/** Reads the keys as they are now, as the daemon does at a reload: a faulty file changes nothing. */
function keysOf(config: ConfigFile, stateDir: string): () => Promise<readonly string[]> {
  let { apiKeys = [] } = config;
  return async () => {
    ({ apiKeys = [] } = await readConfigFile(stateDir).catch(() => ({ apiKeys })));
    return apiKeys.map((one) => (typeof one === "string" ? one : one.key));
  };
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
