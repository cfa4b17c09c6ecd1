import { FakeDaemon } from "@daemon-sdk/testing";
import { expect, test } from "vitest";
import { connectDaemon } from "../../src/index.js";

test("a prompt is answered by the events of its turn, the result last", async () => {
  const daemon = new FakeDaemon();
  await using connection = await connectDaemon({ transport: daemon.dial, apiKey: "fk-any" });
  const session = await connection.createSession();
  const types: string[] = [];
  for await (const event of session.stream("hi", { includePartialMessages: true })) types.push(event.type);
  expect(types.at(-1)).toBe("result");
});
