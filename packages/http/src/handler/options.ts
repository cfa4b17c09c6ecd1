import { InvalidOptionError } from "@daemon-sdk/protocol";
import type { Authorize, SourceOptions } from "../access/index.js";
import type { WebhookOptions } from "../webhooks/index.js";

/** Options of `createHttpHandler`. */
export interface HttpHandlerOptions extends SourceOptions {
  /** Authenticates each request. There is no default: without it nobody could tell who calls. */
  readonly authorize: Authorize;
  /** Path under which the handler is mounted, such as `/api/agents`. Default: none. */
  readonly basePath?: string;
  /** Lets callers add webhooks. Default: they cannot. */
  readonly webhooks?: WebhookOptions;
  /** Longest body of a request, in bytes. Default 12 MiB. */
  readonly maxBodyBytes?: number;
  /** Open streams of events of one principal. Default 64. */
  readonly streamsPerPrincipal?: number;
  /** Silence after which a stream sends a comment, in ms. Default 15 000. */
  readonly heartbeatMs?: number;
  /** Called with failures that are no fault of a caller, and with those of deliveries. Default: they are not reported. */
  readonly onError?: (error: unknown) => void;
}

/** Throws an `InvalidOptionError` for the first wrong option. */
export function checkHandlerOptions(options: HttpHandlerOptions): void {
  if (typeof Object(options).authorize !== "function")
    throw new InvalidOptionError("authorize", "a function that resolves with { id }, 401 or 403", options?.authorize);
  const { basePath, maxBodyBytes, streamsPerPrincipal, heartbeatMs } = options;
  if (basePath !== undefined && !/^(\/[\w.-]+)+$/.test(basePath))
    throw new InvalidOptionError("basePath", 'a path such as "/api/agents"', basePath);
  for (const [name, value] of Object.entries({ maxBodyBytes, streamsPerPrincipal, heartbeatMs })) {
    if (value !== undefined && !(Number.isInteger(value) && value > 0))
      throw new InvalidOptionError(name, "a positive integer", value);
  }
}
