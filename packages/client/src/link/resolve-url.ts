import { DEFAULT_DAEMON_PORT, DEFAULT_RELAY_BASE_URL, MachineType, type SDKMachineConfig } from "@daemon-sdk/protocol";

// Facts of the wire: docs/wire/session.md#urls

/** What the URL of a daemon depends on. */
export interface ResolveUrlOptions {
  /** Used unchanged; the other options then have no effect. */
  readonly url?: string;
  /** Default: this machine. */
  readonly machine?: SDKMachineConfig;
  /** Default 37643. */
  readonly daemonPort?: number;
  /**
   * Base URL of the service that `Computer` machines are reached through, under the original SDK's name. No messaging relay.
   * Default `wss://relay.factory.ai`.
   */
  readonly relayBaseUrl?: string;
}

/**
 * The WebSocket URL of a machine's daemon. Pure: finds and starts no daemon.
 *
 * The credential never goes into a URL. For a local machine this is the TCP address. `connectDaemon` dials it with a `transport`
 * of the caller's own, or with `daemonPort` and a credential; in all other cases it uses the unix socket of our daemon.
 *
 * A machine of a fleet has no address but that of NATS, which no WebSocket reaches: `nats:`.
 */
export function resolveWebSocketUrl(options: ResolveUrlOptions): string {
  if (options.url !== undefined) return options.url;
  const machine = options.machine ?? { type: MachineType.Local };
  const port = options.daemonPort ?? DEFAULT_DAEMON_PORT;
  switch (machine.type) {
    case MachineType.Local:
      return `ws://127.0.0.1:${port}`;
    case MachineType.Ephemeral:
      return `wss://${port}-${machine.sandboxId}.e2b.app`;
    case MachineType.Computer: {
      const computerRelayUrl = (options.relayBaseUrl ?? DEFAULT_RELAY_BASE_URL).replace(/\/+$/, "");
      return `${computerRelayUrl}/v0/computer/${encodeURIComponent(machine.computerId)}/client`;
    }
    case MachineType.Fleet:
      return "nats:";
  }
}
