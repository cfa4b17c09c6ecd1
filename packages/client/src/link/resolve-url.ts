import { DEFAULT_DAEMON_PORT, DEFAULT_RELAY_BASE_URL, MachineType, type SDKMachineConfig } from "@daemon-sdk/protocol";

// Facts of the wire: docs/wire/session.md#urls

/** What the URL of a daemon hangs on. */
export interface ResolveUrlOptions {
  /** Wins over everything else, as given. */
  readonly url?: string;
  /** Default: this machine. */
  readonly machine?: SDKMachineConfig;
  /** Default 37643. */
  readonly daemonPort?: number;
  /** Relay of `Computer` machines. Default `wss://relay.factory.ai`. */
  readonly relayBaseUrl?: string;
}

/**
 * The WebSocket URL of a machine's daemon. Pure: it looks for nothing and starts nothing.
 *
 * The credential never goes into a URL. For a local machine this is the TCP address; `connectDaemon` prefers the unix
 * socket of our own daemon and only comes here when the caller gave an own `transport`, or in a browser.
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
      const base = (options.relayBaseUrl ?? DEFAULT_RELAY_BASE_URL).replace(/\/+$/, "");
      return `${base}/v0/computer/${encodeURIComponent(machine.computerId)}/client`;
    }
  }
}
