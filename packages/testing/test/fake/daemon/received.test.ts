import { ProtocolError } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { FakeDaemon } from "../../../src/index.js";
import { RawClient } from "../../raw-client.js";

async function afterTwoPrompts(): Promise<FakeDaemon> {
  const daemon = new FakeDaemon();
  const client = await RawClient.connect(daemon);
  const sessionId = await client.create({ sessionId: "s-1" });
  for (const text of ["deploy it", "and tell me"])
    await client.call("add_user_message", { sessionId, text, messageId: text });
  await client.call("rename_session", { sessionId, title: "T" });
  return daemon;
}

/** What `action` throws. */
function thrownBy(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    if (ProtocolError.is(error)) return error;
  }
  throw new TypeError("It should have thrown a ProtocolError");
}

test("what clients sent can be asked for by what it is", async () => {
  const { received } = await afterTwoPrompts();
  expect(received.prompts()).toMatchObject([
    { text: "deploy it", sessionId: "s-1", messageId: "deploy it", link: 1 },
    { text: "and tell me" },
  ]);
  expect(received.calls("rename_session")).toMatchObject([{ params: { title: "T" } }]);
  expect(received.map(({ method }) => method)).toEqual([
    "authenticate",
    "initialize_session",
    "add_user_message",
    "add_user_message",
    "rename_session",
  ]);
});

test("an expectation that is met gives what met it", async () => {
  const daemon = await afterTwoPrompts();
  expect(daemon.expectPrompt().text).toBe("deploy it");
  expect(daemon.expectPrompt(/tell/).text).toBe("and tell me");
  expect(daemon.expectPrompt((text) => text.startsWith("and")).messageId).toBe("and tell me");
  expect(daemon.received.expectCall("add_user_message", { text: "and tell me" }).params.messageId).toBe("and tell me");
  expect(daemon.received.expectCall("rename_session").params.title).toBe("T");
  daemon.received.expectNoCall("close_session");
});

test("an expectation that is not met says what came instead", async () => {
  const daemon = await afterTwoPrompts();
  expect(thrownBy(() => daemon.expectPrompt("deploy")).message).toBe(
    'Expected a prompt "deploy". Prompts that came:\n  1. "deploy it" to session s-1\n  2. "and tell me" to session s-1',
  );
  expect(thrownBy(() => daemon.expectPrompt(/never/i)).message).toContain("a prompt that matches /never/i");
  const wrong = thrownBy(() => daemon.received.expectCall("rename_session", { title: "Other" })).message;
  expect(wrong).toContain(
    'rename_session with {"title":"Other"}. Calls of rename_session that came:\n  1. {"sessionId"',
  );
  const none = thrownBy(() => daemon.received.expectCall("fork_session")).message;
  expect(none).toContain("Methods that came:\n  1. authenticate\n  2. initialize_session\n  3. add_user_message");
  expect(thrownBy(() => daemon.received.expectNoCall("rename_session")).message).toContain("no call of rename_session");
  expect(thrownBy(() => new FakeDaemon().expectPrompt()).message).toBe("Expected a prompt. Prompts that came: none.");
});

test("notifications of clients are kept, and prompts can be waited for", async () => {
  const daemon = new FakeDaemon();
  const coming = daemon.waitForPrompt(/hi/);
  const client = await RawClient.connect(daemon);
  client.send({ type: "notification", method: "daemon.grant_credit", params: { sessionId: "s", events: 1, bytes: 2 } });
  const sessionId = await client.create();
  await client.call("add_user_message", { sessionId, text: "oh, hi" });
  expect((await coming).text).toBe("oh, hi");
  expect(daemon.notifications).toEqual([
    { link: 1, method: "grant_credit", params: { sessionId: "s", events: 1, bytes: 2 } },
  ]);
});
