import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeDaemon } from "@daemon-sdk/testing";
import { greet } from "./greeter.js";

test("greets with what the agent says, and by itself when the agent fails", async () => {
  const daemon = new FakeDaemon();
  daemon.whenPrompted(/Ann/).streams(["Hello, ", "Ann."]);
  daemon.whenPrompted(/Ben/).fails("no model");
  const options = { transport: daemon.dial, apiKey: "none" };
  assert.equal(await greet("Ann", options), "Hello, Ann.");
  assert.equal(await greet("Ben", options), "Good morning.");
  daemon.expectPrompt("Greet Ben.");
});
