/**
 * What our daemon offers beyond the original wire, in the result of `authenticate` (docs/protocol.md, "Capabilities").
 *
 * A client uses only what it was offered; a plain daemon offers nothing and everything still works.
 */
export interface DaemonCapabilities {
  /** Every turn ends with `agent_turn_completed` whose `turnId` is the `messageId` the client sent, and only with that. */
  turns?: true;
  /** Pending permission and ask-user requests are stored; a client without a handler stays silent. */
  inbox?: true;
  /** `interrupt_session` works on a session this connection has not loaded. */
  directInterrupt?: true;
  /** `interrupt_session` takes `messageId`, acts while that message's turn is under way only, and may so be made again. */
  turnInterrupt?: true;
  /** `detach_session` stops this connection's subscription and leaves the session running. */
  detach?: true;
  /** Journal positions in `_meta`, and `position` in the results of `initialize_session` and `load_session`. */
  positions?: true;
  /** `resume_session` replays a journal from a position; RESUME_TOO_OLD where it cannot. */
  resume?: true;
  /** `credit` in `initialize_session`, `load_session` and `resume_session`, `follow_session`, `grant_credit`. */
  credit?: true;
  /** `get_receipts` tells what became of a message. */
  receipts?: true;
  /** A repeated `add_user_message` is answered with the message's receipt, and `get_turn_events` reads a turn again. */
  turnEvents?: true;
  /** `list_requests` and `answer_request`: the inbox of all sessions. */
  requests?: true;
  /** `ping` is answered by the loop that serves the sessions. */
  ping?: true;
  /** `create_ticket` makes a credential for one connection, for pages. */
  tickets?: true;
  /** Bytes of UTF-8 that the daemon takes in one message. A larger one costs the connection. */
  maxMessageBytes?: number;
  /** Names of the agents that `initialize_session` accepts in `agent`; the first is the default. */
  agents?: string[];
}
