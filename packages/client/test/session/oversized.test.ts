import { CLIENT_LIMITS } from "@daemon-sdk/protocol";
import { ALL_CAPABILITIES } from "@daemon-sdk/testing";
import { expect, test } from "vitest";
import { collect, connected, execPermission, rejection, resultOf } from "../support.js";

const capabilities = { ...ALL_CAPABILITIES, maxMessageBytes: 10_000 };
const tooLarge = { code: "MESSAGE_TOO_LARGE", retryable: false, message: expect.stringContaining("10000") };

test("a call over the daemon's bound is refused before it is sent, and nothing else is touched", async () => {
  const { daemon, connection } = await connected({ capabilities });
  const session = await connection.createSession();
  const other = await connection.createSession();
  let finish = (): void => {};
  daemon.onPrompt(async (prompt) => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    prompt.message("done");
  });
  const running = resultOf(other.stream("long"));
  await daemon.waitForRequest("add_user_message");
  const sent = daemon.received.length;
  const text = "ü".repeat(6_000);
  expect(await rejection(session.send(text))).toMatchObject(tooLarge);
  expect(await rejection(session.rename(text))).toMatchObject(tooLarge);
  expect(await rejection(connection.searchSessions({ query: text }))).toMatchObject(tooLarge);
  expect(await rejection(collect(session.stream(text, { messageId: "m" })))).toMatchObject(tooLarge);
  const others = daemon.received.slice(sent).filter(({ method }) => method !== "follow_session");
  expect(others).toEqual([]);
  expect(session.activity).toBe("idle");
  finish();
  expect((await running).text).toBe("done");
  expect(daemon.dials).toBe(1);
  daemon.onPrompt((prompt) => void prompt.message("afterwards"));
  expect((await resultOf(session.stream("small"))).text).toBe("afterwards");
  await connection.close();
});

test("a daemon that states no bound is sent no more than 16 MiB", async () => {
  const { daemon, connection } = await connected();
  const session = await connection.createSession();
  const text = "x".repeat(CLIENT_LIMITS.sessionFrameBytes);
  const error = await rejection(session.send(text));
  expect(error).toMatchObject({ code: "MESSAGE_TOO_LARGE", retryable: false });
  expect(daemon.connections).toBe(1);
  await connection.close();
});

test("an answer over the bound is refused, and the request waits for another one", async () => {
  const { daemon, connection } = await connected({ capabilities });
  const session = await connection.createSession();
  daemon.onPrompt(async (prompt) => {
    const { selectedOption } = await prompt.askPermission(execPermission());
    prompt.message(selectedOption);
  });
  const answer = { selectedOption: "proceed_once", comment: "x".repeat(10_000) };
  const result = resultOf(session.stream("ask"));
  await expect.poll(() => session.getPendingPermissionRequests()).toHaveLength(1);
  const requestId = session.getPendingPermissionRequests()[0]?.requestId ?? "";
  expect(await rejection(session.respondToPermission(requestId, answer))).toMatchObject(tooLarge);
  await session.respondToPermission(requestId, "proceed_once");
  expect((await result).text).toBe("proceed_once");
  await connection.close();
});

test("a handler whose answer is over the bound is reported, and counts as one that failed", async () => {
  const errors: Error[] = [];
  const permissionHandler = () => ({ selectedOption: "proceed_once", comment: "x".repeat(10_000) });
  const { daemon, connection } = await connected(
    { capabilities },
    { permissionHandler, onError: (e) => errors.push(e) },
  );
  const session = await connection.createSession();
  daemon.onPrompt(async (prompt) => {
    const { selectedOption } = await prompt.askPermission(execPermission());
    prompt.message(selectedOption);
  });
  expect((await resultOf(session.stream("ask"))).text).toBe("cancel");
  expect(errors).toMatchObject([{ code: "HANDLER_FAILED", message: expect.stringContaining("10000") }]);
  await connection.close();
});
