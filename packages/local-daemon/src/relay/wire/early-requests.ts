import type { Envelope } from "@daemon-sdk/protocol/relay";
import { agentNameFault, isReservedName } from "../names/index.js";

/** Queries that show nothing of anybody's messages. */
const PUBLIC_QUERIES: ReadonlySet<string> = new Set([
  ...["STATUS", "LIST_AGENTS", "LIST_CONNECTED_AGENTS", "HEALTH", "METRICS"],
]);

/** Queries of messages. */
const MESSAGE_QUERIES: ReadonlySet<string> = new Set(["INBOX", "MESSAGES_QUERY"]);

/**
 * Whether an envelope is served before HELLO, as one-shot clients of the original need it (docs/wire/relay.md#connection-states).
 * Only on a connection that programs of this user alone can open; messages are sent and read only where names have no owner,
 * because without HELLO a sender has shown nothing of its name.
 */
export function isServedEarly({ type, from, to }: Envelope, access: "owned" | "open"): boolean {
  if (PUBLIC_QUERIES.has(type)) return true;
  if (access !== "open") return false;
  if (MESSAGE_QUERIES.has(type)) return true;
  return type === "SEND" && from !== undefined && to !== undefined && !isReservedName(from) && !agentNameFault(from);
}
