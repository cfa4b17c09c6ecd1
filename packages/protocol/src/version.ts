// Facts of the wire: docs/wire/session.md#protocol-version, docs/wire/session.md#urls

/** JSON-RPC version of every envelope. */
export const JSONRPC_VERSION = "2.0";

/** `factoryApiVersion` of every envelope; frozen, never to be used for compatibility checks. */
export const FACTORY_API_VERSION = "1.0.0";

/**
 * The session wire that our daemon states in `factoryProtocolVersion`.
 *
 * A client does not send this value. It reads the peer's value from the first reply and sends that in later messages,
 * because a real daemon answers any other value with -32601.
 */
export const FACTORY_PROTOCOL_VERSION = "1.51.0";

/** TCP port on which clients of the original wire look for a daemon. */
export const DEFAULT_DAEMON_PORT = 37_643;

/** Relay through which a `Computer` machine is reached when none is named. */
export const DEFAULT_RELAY_BASE_URL = "wss://relay.factory.ai";
