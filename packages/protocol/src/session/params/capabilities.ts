/**
 * Extensions of the original wire that the daemon offers, in the result of `authenticate` (docs/protocol.md, "Capabilities").
 *
 * A client uses offered capabilities only. With a plain daemon, which offers none, everything else still works.
 */
export interface DaemonCapabilities {
  /** Every turn ends with `agent_turn_completed` whose `turnId` is the `messageId` the client sent, and only with that. */
  turns?: true;
  /** Pending permission and ask-user requests are stored; a client without a handler sends no answer. */
  inbox?: true;
  /** `interrupt_session` works on a session that this connection has not loaded. */
  directInterrupt?: true;
  /** `interrupt_session` accepts `messageId` and interrupts only the turn of that message. Such a call may be repeated. */
  turnInterrupt?: true;
  /** `detach_session` detaches this connection and does not stop the session. */
  detach?: true;
  /** `delete_session` deletes a session with everything that the daemon has of it. */
  delete?: true;
  /** Journal positions in `_meta`, and `position` in the results of `initialize_session` and `load_session`. */
  positions?: true;
  /** `resume_session` replays a journal from a position; RESUME_TOO_OLD where it cannot. */
  resume?: true;
  /** `credit` in `initialize_session`, `load_session` and `resume_session`, `follow_session`, `grant_credit`. */
  credit?: true;
  /** `credit` takes `batches`: several entries of a session in one message, `session_notifications`. */
  batches?: true;
  /** `get_receipts` returns the receipts of messages. */
  receipts?: true;
  /** A repeated `add_user_message` is answered with the message's receipt, and `get_turn_events` reads a turn again. */
  turnEvents?: true;
  /** `get_session_events` reads the journal of a session and waits for its next entry; `get_receipts` takes `waitMs`. */
  sessionEvents?: true;
  /** `list_requests` and `answer_request`: the inbox of all sessions. */
  requests?: true;
  /** `ping` is answered by the event loop that serves the sessions. */
  ping?: true;
  /** `create_ticket` makes a credential for one connection, for pages. */
  tickets?: true;
  /** `open_console` serves the console for browsers and makes a link to it. */
  console?: true;
  /** `initialize_session` takes `env`: variables of the agent's environment. */
  sessionEnv?: true;
  /** `get_metrics` returns what the daemon counts, and its last hour. */
  metrics?: true;
  /** `load_session` takes `cwd`; files, differences, models and default settings are answered for sessions of every agent. */
  workspace?: true;
  /** Largest accepted message, in bytes of UTF-8. The daemon closes the connection at a larger one. */
  maxMessageBytes?: number;
  /** Names of the agents that `initialize_session` accepts in `agent`; the first is the default. */
  agents?: string[];
}
