import { ConnectionError, InvalidOptionError } from "@daemon-sdk/protocol";
import type { RelayClientOptions, RelayPlatform } from "./connection/index.js";
import { RelayAgent } from "./relay-agent.js";

export * from "./public-api.js";

const PAGE: RelayPlatform = {
  // A timer of a page is late by milliseconds; a microtask is soon enough, and joins what one turn writes.
  soon: (callback) => queueMicrotask(callback),
  dialSocket: () => Promise.reject(new InvalidOptionError("socketPath", "absent in a browser; pass `url`")),
  findLocalDaemon: () =>
    Promise.reject(
      new ConnectionError("LOCAL_DAEMON_UNAVAILABLE", "A web page cannot find the local daemon. Pass `url`."),
    ),
  environment: () => undefined,
};

/** {@link RelayAgent} in a web page: over WebSocket, with `url` and, where the daemon asks for one, `ticket`. */
export class RelayClient extends RelayAgent {
  constructor(options: RelayClientOptions) {
    super(options, PAGE);
  }
}
