/** Bounds and defaults of a relay client. */
export const RELAY_CLIENT_LIMITS = {
  /** One attempt to connect, from the socket to WELCOME (docs/wire/relay.md#sdk-client). */
  relayConnectMs: 5_000,
  /** A connection of this age resets the delays. Without it, two clients of one name would evict each other without delay. */
  relayStableMs: 5_000,
  /** How many ids of deliveries the client stores, so that none is handled twice (docs/wire/relay.md#sdk-client). */
  relaySeenIds: 2_000,
  /** Messages and bytes that wait while the client is disconnected. Over either bound, a send is refused at once. */
  relayOutboxMessages: 10_000,
  relayOutboxBytes: 8 * 1024 * 1024,
  /**
   * Time-outs of queries; of RELEASE, SEND_INPUT and LIST_WORKERS; of SET_MODEL; of SPAWN
   * (docs/wire/relay.md#sdk-client).
   */
  relayQueryMs: 5_000, // docs/wire/relay.md#sdk-client
  relayWorkerMs: 10_000,
  relaySetModelMs: 45_000,
  relaySpawnMs: 60_000,
} as const;
