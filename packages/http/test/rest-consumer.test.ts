import { expect, test } from "vitest";
import { openGateway, type TestGateway } from "./support/gateway.js";
import { listen } from "./support/listen.js";
import { hasPerlClient, runPerlConsumer } from "./support/perl-consumer.js";
import { runRestConsumer } from "./support/rest-consumer.js";

test("a client that openapi-typescript generated makes, prompts, follows, answers and reads a session over a socket", async () => {
  await using gateway = await openGateway();
  asks(gateway);
  await using server = await listen(gateway.handler);
  await runRestConsumer({ baseUrl: server.baseUrl, key: "good", cwd: "/srv", asking: "ask me" });
});

test("a client that Perl's OpenAPI::Client generated does the same", async ({ skip }) => {
  skip(!hasPerlClient(), "OpenAPI::Client is not installed: apt-get install libopenapi-client-perl");
  await using gateway = await openGateway();
  asks(gateway);
  await using server = await listen(gateway.handler);
  await expect(
    runPerlConsumer({ baseUrl: server.baseUrl, key: "good", cwd: "/srv", asking: "ask me" }),
  ).resolves.toBeUndefined();
});

/** The agent asks a question, and answers with the choice. */
function asks({ daemon }: TestGateway): void {
  daemon.onPrompt(async (prompt) => {
    const questions = [{ index: 1, topic: "Colour", question: "Which?", options: ["red", "blue"] }];
    const { answers } = await prompt.askUser({ questions });
    prompt.message(`You chose ${answers[0]?.answer}.`);
  });
}
