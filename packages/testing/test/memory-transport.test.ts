import { describe, expect, test } from "vitest";
import { memoryTransport, runTransportContract, transportContract } from "../src/index.js";

const bounds = { highWaterBytes: 64 * 1024, maxMessageBytes: 256 * 1024 };

describe("memoryTransport keeps the transport contract", () => {
  runTransportContract(test, { ...bounds, connect: async () => memoryTransport(bounds) });
});

test("the contract names every law, in order, under an id of its own", () => {
  const ids = transportContract.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const laws = [...new Set(ids.map((id) => id.split("-")[0]))];
  expect(laws).toEqual(Array.from({ length: 11 }, (_, index) => `T${index + 1}`));
});

test("an error thrown by a handler reaches the logger", async () => {
  const errors: object[] = [];
  const log = () => {};
  const logger = { debug: log, info: log, warn: log, error: (fields: object) => errors.push(fields) };
  const { near, far } = memoryTransport({ logger });
  const ended = new Promise((resolve) => {
    near.onClose = resolve;
  });
  far.onMessage = () => {
    throw new RangeError("mine");
  };
  near.send("x");
  near.close();
  await ended;
  expect(errors).toMatchObject([{ handler: "onMessage", error: { message: "mine" } }]);
});
