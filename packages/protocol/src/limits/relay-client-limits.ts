/** Bounds and defaults of a relay client. */
export const RELAY_CLIENT_LIMITS = {
  /** One attempt to connect, from the socket to WELCOME (docs/wire/relay.md#sdk-client). */
  relayConnectMs: 5_000,
  /** A connection that lived this long starts the pauses anew; two clients of one name would evict each other without pause. */
  relayStableMs: 5_000,
  /** Ids of deliveries that it remembers, so that none is handled twice (docs/wire/relay.md#sdk-client). */
  relaySeenIds: 2_000,
  /** Messages and bytes that wait while it is away; past either, a send is refused at once. */
  relayOutboxMessages: 10_000,
  relayOutboxBytes: 8 * 1024 * 1024,
  /**
   * Answers to queries, to RELEASE and SEND_INPUT and LIST_WORKERS, to SET_MODEL, to SPAWN
   * (docs/wire/relay.md#sdk-client).
   */
  relayQueryMs: 5_000, // docs/wire/relay.md#sdk-client
  relayWorkerMs: 10_000,
  relaySetModelMs: 45_000,
  relaySpawnMs: 60_000,
} as const;
