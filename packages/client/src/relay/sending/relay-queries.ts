import { LIMITS } from "@daemon-sdk/protocol";
import type {
  AgentSummary,
  HealthResponsePayload,
  InboxMessage,
  InboxPayload,
  MessagesQueryPayload,
  MetricsResponsePayload,
  RemoveAgentPayload,
  RemoveAgentResponsePayload,
  StatusResponsePayload,
  StoredMessage,
} from "@daemon-sdk/protocol/relay";
import type { ReplyOptions } from "./pending-replies.js";
import type { RelayCalls } from "./relay-calls.js";

/**
 * Queries to the daemon. Each takes `signal` and `timeoutMs` (default 5 s) in its last argument, and rejects with
 * REQUEST_TIMEOUT, CONNECTION_LOST, or the daemon's error.
 *
 * @see https://github.com/daemon-sdk/daemon-sdk/blob/main/docs/wire/relay.md#queries
 */
export class RelayQueries {
  readonly #calls: RelayCalls;

  constructor(calls: RelayCalls) {
    this.#calls = calls;
  }

  /** Version, uptime and storage of the daemon. */
  status(options?: ReplyOptions): Promise<StatusResponsePayload> {
    return this.#calls.ask("STATUS", {}, "STATUS_RESPONSE", within(options));
  }

  /** Messages to an agent, newest first; by default the last 50 to this one. Reading them acknowledges nothing. */
  async inbox(query: InboxPayload = {}, options?: ReplyOptions): Promise<InboxMessage[]> {
    return (await this.#calls.ask("INBOX", query, "INBOX_RESPONSE", within(options))).messages;
  }

  /** Stored messages of all names, newest first unless `order` is `asc`; by default the last 100. */
  async messages(query: MessagesQueryPayload = {}, options?: ReplyOptions): Promise<StoredMessage[]> {
    return (await this.#calls.ask("MESSAGES_QUERY", query, "MESSAGES_RESPONSE", within(options))).messages;
  }

  /**
   * Dead letters that this client sent or received: messages that were not acknowledged within their age. For a client that acts
   * for the person, those of all names.
   */
  deadLetters(query: Omit<MessagesQueryPayload, "status"> = {}, options?: ReplyOptions): Promise<StoredMessage[]> {
    return this.messages({ ...query, status: "failed" }, options);
  }

  /** Sends dead letters again, as their senders had sent them. Resolves with the ids of those that were taken. */
  async resend(ids: readonly string[], options?: ReplyOptions): Promise<string[]> {
    return (await this.#calls.ask("RESEND", { ids: [...ids] }, "RESEND_RESPONSE", within(options))).ids;
  }

  /** All agents, connected or not; users are not included. */
  async agents(options?: ReplyOptions): Promise<AgentSummary[]> {
    const payload = { includeIdle: true };
    return (await this.#calls.ask("LIST_AGENTS", payload, "LIST_AGENTS_RESPONSE", within(options))).agents;
  }

  /** Agents that are connected now. */
  async connectedAgents(options?: ReplyOptions): Promise<AgentSummary[]> {
    const answer = "LIST_CONNECTED_AGENTS_RESPONSE";
    return (await this.#calls.ask("LIST_CONNECTED_AGENTS", {}, answer, within(options))).agents;
  }

  /** Removes an agent that is not connected from the daemon. */
  removeAgent(removal: RemoveAgentPayload, options?: ReplyOptions): Promise<RemoveAgentResponsePayload> {
    return this.#calls.ask("REMOVE_AGENT", removal, "REMOVE_AGENT_RESPONSE", within(options));
  }

  /** Health score of the daemon, with its issues. */
  health(options?: ReplyOptions): Promise<HealthResponsePayload> {
    return this.#calls.ask("HEALTH", {}, "HEALTH_RESPONSE", within(options));
  }

  /** Memory and processor use, of one agent or of all. */
  metrics(agent?: string, options?: ReplyOptions): Promise<MetricsResponsePayload> {
    return this.#calls.ask("METRICS", agent === undefined ? {} : { agent }, "METRICS_RESPONSE", within(options));
  }
}

function within(options: ReplyOptions = {}): ReplyOptions & { timeoutMs: number } {
  return { timeoutMs: LIMITS.relayQueryMs, ...options };
}
