import { expect, test } from "vitest";
import { nextConnectionState } from "../../src/connection/connection.machine.js";
import { nextStreamState } from "../../src/stream/stream.machine.js";

test("an event that has no meaning in a state changes nothing", () => {
  expect(nextConnectionState("closed", "close")).toBeUndefined();
  expect(nextStreamState("ended", "abandoned")).toBeUndefined();
});
