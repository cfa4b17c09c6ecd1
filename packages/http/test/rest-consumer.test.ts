import { test } from "vitest";
import { openGateway } from "./support/gateway.js";
import { listen } from "./support/listen.js";
import { runRestConsumer } from "./support/rest-consumer.js";

test("a client that openapi-typescript generated makes, prompts, follows, answers and reads a session over a socket", async () => {
  await using gateway = await openGateway();
  gateway.daemon.onPrompt(async (prompt) => {
    const questions = [{ index: 1, topic: "Colour", question: "Which?", options: ["red", "blue"] }];
    const { answers } = await prompt.askUser({ questions });
    prompt.message(`You chose ${answers[0]?.answer}.`);
  });
  await using server = await listen(gateway.handler);
  await runRestConsumer({ baseUrl: server.baseUrl, key: "good", cwd: "/srv", asking: "ask me" });
});
