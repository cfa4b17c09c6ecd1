import { runTransportContract } from "@daemon-sdk/testing";
import { describe, test } from "vitest";
import { MessagePortTransport } from "../../src/transports/message-port-transport.js";

const bounds = { highWaterBytes: 64 * 1024, maxMessageBytes: 256 * 1024 };

describe("a message channel keeps the transport contract", () => {
  runTransportContract(test, {
    ...bounds,
    async connect() {
      const { port1, port2 } = new MessageChannel();
      const near = new MessagePortTransport(port1, bounds);
      const far = new MessagePortTransport(port2, bounds);
      return { near, far, cut: () => port1.close() };
    },
  });
});
