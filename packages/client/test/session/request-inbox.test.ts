import { describe, expect, test } from "vitest";
import {
  connectDaemon,
  type DaemonSession,
  NO_ANSWER,
  type PermissionHandler,
  type PermissionRequest,
} from "../../src/index.js";
import { connected, execPermission, hang, OUR_CAPABILITIES, rejection, resultOf } from "../support.js";

const QUESTIONS = { questions: [{ index: 1, topic: "colour", question: "Which?", options: ["red", "blue"] }] };
const INBOX = { capabilities: OUR_CAPABILITIES };

describe.each([
  { kind: "a plain daemon", options: {} },
  { kind: "our daemon", options: INBOX },
])("against $kind", ({ options }) => {
  test("each session's own handler answers its requests, once, with the session's id", async () => {
    const { daemon, connection } = await connected(options);
    daemon.onPrompt(async (prompt) => {
      const { selectedOption } = await prompt.askPermission(execPermission(prompt.text));
      prompt.message(`${prompt.text}: ${selectedOption}`);
    });
    const asked: string[] = [];
    const handler =
      (name: string, answer: "proceed_once" | "cancel"): PermissionHandler =>
      ({ sessionId, toolUses }) => {
        asked.push(`${name} ${sessionId} ${toolUses.length}`);
        return answer;
      };
    const ids = [daemon.addSession({ id: "s-1" }).id, daemon.addSession({ id: "s-2" }).id] as const;
    const first = await connection.resumeSession(ids[0], { permissionHandler: handler("one", "proceed_once") });
    const second = await connection.resumeSession(ids[1], { permissionHandler: handler("two", "cancel") });
    const results = await Promise.all([resultOf(first.stream("a")), resultOf(second.stream("b"))]);
    expect(results.map(({ text }) => text)).toEqual(["a: proceed_once", "b: cancel"]);
    expect(new Set(asked)).toEqual(new Set(["one s-1 1", "two s-2 1"]));
    expect(asked).toHaveLength(2);
    expect(daemon.responses.map(({ result, accepted }) => ({ result, accepted }))).toEqual([
      { result: { selectedOption: "proceed_once", sessionId: "s-1" }, accepted: true },
      { result: { selectedOption: "cancel", sessionId: "s-2" }, accepted: true },
    ]);
  });

  test("a session without a handler uses the connection's, a session's own comes first", async () => {
    const { daemon, connection } = await connected(options, { permissionHandler: () => "cancel" });
    daemon.onPrompt(
      async (prompt) => void prompt.message((await prompt.askPermission(execPermission())).selectedOption),
    );
    const plain = await connection.createSession();
    const own = await connection.createSession({ permissionHandler: async () => ({ selectedOption: "proceed_once" }) });
    expect((await resultOf(plain.stream("x"))).text).toBe("cancel");
    expect((await resultOf(own.stream("x"))).text).toBe("proceed_once");
  });

  test.each<[string, PermissionHandler]>([
    [
      "throws",
      () => {
        throw new RangeError("handler bug");
      },
    ],
    ["rejects", () => Promise.reject(new RangeError("handler bug"))],
    ["names an option that was not offered", () => "proceed_always"],
    ["returns nothing", (() => undefined) as never],
    ["forgets the text of an edit", () => ({ selectedOption: "proceed_edit" })],
  ])("a handler that %s counts as cancel, once, and is told to onError", async (_how, permissionHandler) => {
    const errors: Error[] = [];
    const { daemon, connection } = await connected(options, { onError: (error) => errors.push(error) });
    daemon.onPrompt(
      async (prompt) => void prompt.message((await prompt.askPermission(execPermission())).selectedOption),
    );
    const session = await connection.createSession({ permissionHandler });
    expect((await resultOf(session.stream("x"))).text).toBe("cancel");
    expect(daemon.responses).toHaveLength(1);
    expect(errors).toMatchObject([{ code: "HANDLER_FAILED", sessionId: session.sessionId }]);
  });

  test("questions are answered with index, question and answer", async () => {
    const { daemon, connection } = await connected(options);
    daemon.onPrompt(async (prompt) => {
      const { answers } = await prompt.askUser(QUESTIONS);
      prompt.message(JSON.stringify(answers));
    });
    const session = await connection.createSession({
      askUserHandler: ({ questions }) => ({
        answers: questions.map(({ index, question }) => ({ index, question, answer: "red" })),
      }),
    });
    expect((await resultOf(session.stream("x"))).text).toBe('[{"index":1,"question":"Which?","answer":"red"}]');
    expect(daemon.responses[0]?.result).toMatchObject({ cancelled: false, sessionId: session.sessionId });
  });

  test("an ask-user handler that answers with bare strings counts as cancelled", async () => {
    const errors: Error[] = [];
    const { daemon, connection } = await connected(options, { onError: (error) => errors.push(error) });
    daemon.onPrompt(async (prompt) => void prompt.message(String((await prompt.askUser(QUESTIONS)).cancelled)));
    const session = await connection.createSession({ askUserHandler: (() => ({ answers: ["red"] })) as never });
    expect((await resultOf(session.stream("x"))).text).toBe("true");
    expect(errors).toMatchObject([{ code: "HANDLER_FAILED" }]);
  });

  test("a handler that defers leaves the request listed, to be answered later, once", async () => {
    const { daemon, connection } = await connected(options);
    daemon.onPrompt(
      async (prompt) => void prompt.message((await prompt.askPermission(execPermission())).selectedOption),
    );
    const session = await connection.createSession({ permissionHandler: () => NO_ANSWER });
    const result = resultOf(session.stream("x"));
    await heard(session, "waiting_for_tool_confirmation");
    await session.getMessages();
    const [request] = session.getPendingPermissionRequests();
    const requestId = request?.requestId as string;
    expect(request).toMatchObject({
      sessionId: session.sessionId,
      options: [{ value: "proceed_once" }, { value: "cancel" }],
    });
    expect(await rejection(session.respondToPermission(requestId, "proceed_always"))).toMatchObject({
      code: "INVALID_OPTION",
    });
    expect(await rejection(session.respondToAskUser(requestId, { cancelled: true }))).toMatchObject({
      code: "REQUEST_NOT_PENDING",
    });
    await session.respondToPermission(requestId, { selectedOption: "proceed_once", comment: "fine" });
    expect((await result).text).toBe("proceed_once");
    expect(session.getPendingPermissionRequests()).toEqual([]);
    expect(await rejection(session.respondToPermission(requestId, "cancel"))).toMatchObject({
      code: "REQUEST_NOT_PENDING",
    });
    expect(daemon.responses).toMatchObject([{ result: { selectedOption: "proceed_once", comment: "fine" } }]);
  });

  test("requests that waited before the session was resumed go to the handlers", async () => {
    const { daemon, connection } = await connected(options);
    const stored = daemon.addSession();
    const permission = stored.askPermission(execPermission());
    const answer = stored.askUser(QUESTIONS);
    await connection.resumeSession(stored.id, {
      permissionHandler: () => "proceed_once",
      askUserHandler: () => ({ answers: [{ index: 1, question: "Which?", answer: "blue" }] }),
    });
    expect(await permission).toEqual({ selectedOption: "proceed_once", sessionId: stored.id });
    expect((await answer).answers).toEqual([{ index: 1, question: "Which?", answer: "blue" }]);
    expect(daemon.responses.every(({ accepted }) => accepted)).toBe(true);
  });

  test("an interrupt while a handler thinks aborts its signal, and its answer is not sent", async () => {
    const { daemon, connection } = await connected(options);
    daemon.onPrompt(async (prompt) => void (await prompt.askPermission(execPermission())));
    let thinking: AbortSignal | undefined;
    let answer: (value: "proceed_once") => void = () => {};
    const session = await connection.createSession({
      permissionHandler: (_request, { signal }) => {
        thinking = signal;
        return new Promise((resolve) => {
          answer = resolve;
        });
      },
    });
    const result = resultOf(session.stream("x"));
    await heard(session, "waiting_for_tool_confirmation");
    await session.interrupt();
    expect((await result).subtype).toBe("interrupted");
    expect(thinking?.aborted).toBe(true);
    expect(session.getPendingPermissionRequests()).toEqual([]);
    answer("proceed_once");
    await session.getMessages();
    expect(daemon.responses).toEqual([]);
  });
});

test("without a handler a plain daemon, which keeps nothing, is answered with cancel", async () => {
  const { daemon, connection } = await connected();
  daemon.onPrompt(async (prompt) => {
    const { selectedOption } = await prompt.askPermission(execPermission());
    const { cancelled } = await prompt.askUser(QUESTIONS);
    prompt.message(`${selectedOption} ${cancelled}`);
  });
  const session = await connection.createSession();
  expect((await resultOf(session.stream("x"))).text).toBe("cancel true");
  expect(daemon.responses).toHaveLength(2);
});

test("without a handler a daemon that keeps requests gets no answer; another connection gives it", async () => {
  const { daemon, connection } = await connected(INBOX);
  daemon.onPrompt(async (prompt) => void prompt.message((await prompt.askPermission(execPermission())).selectedOption));
  const session = await connection.createSession();
  const result = resultOf(session.stream("x"));
  await heard(session, "waiting_for_tool_confirmation");
  const other = await connectDaemon({ transport: daemon.dial, apiKey: "fk" });
  await other.resumeSession(session.sessionId, { permissionHandler: () => "proceed_once" });
  expect((await result).text).toBe("proceed_once");
  expect(daemon.responses).toHaveLength(1);
  expect(session.getPendingPermissionRequests()).toEqual([]);
});

test("a request for a session that is not attached is not answered where another may, and refused where none can", async () => {
  for (const [options, answers] of [
    [INBOX, 0],
    [{}, 1],
  ] as const) {
    const { daemon, connection } = await connected(options);
    const envelope = { jsonrpc: "2.0", factoryApiVersion: "1.0.0", type: "request", id: "p-1" };
    const params = { sessionId: "stranger", options: [], ...execPermission() };
    daemon.sendRaw(JSON.stringify({ ...envelope, method: "daemon.request_permission", params }));
    await connection.listOpenedSessions();
    expect(daemon.responses).toHaveLength(answers);
  }
});

test("a request that is malformed is refused with -32602, and an unknown method with -32601", async () => {
  const { daemon, connection } = await connected();
  const session = await connection.createSession({ permissionHandler: () => "proceed_once" });
  const envelope = { jsonrpc: "2.0", factoryApiVersion: "1.0.0", type: "request" };
  const { sessionId } = session;
  daemon.sendRaw(
    JSON.stringify({ ...envelope, id: "p-1", method: "daemon.request_permission", params: { sessionId } }),
  );
  daemon.sendRaw(JSON.stringify({ ...envelope, id: "p-2", method: "daemon.sing", params: { sessionId } }));
  await session.getMessages();
  expect(daemon.responses.map(({ id, error }) => [id, error?.code])).toEqual([
    ["p-1", -32_602],
    ["p-2", -32_601],
  ]);
});

test("a request that comes again while it waits is not asked again", async () => {
  const { daemon, connection } = await connected(INBOX);
  const stored = daemon.addSession();
  void stored.askPermission(execPermission());
  let asked = 0;
  const session = await connection.resumeSession(stored.id, {
    permissionHandler: () => {
      asked += 1;
      return NO_ANSWER;
    },
  });
  const [request] = session.getPendingPermissionRequests();
  const { requestId: id, ...params } = request as unknown as { requestId: string };
  const envelope = { jsonrpc: "2.0", factoryApiVersion: "1.0.0", type: "request", method: "daemon.request_permission" };
  daemon.sendRaw(JSON.stringify({ ...envelope, id, params }));
  await session.getMessages();
  expect(asked).toBe(1);
  expect(session.getPendingPermissionRequests()).toHaveLength(1);
});

test("closing the session aborts the handler that thinks, and nothing is answered after it", async () => {
  const { daemon, connection } = await connected();
  daemon.onPrompt(async (prompt) => void (await prompt.askPermission(execPermission())));
  let thinking: AbortSignal | undefined;
  const session = await connection.createSession({
    permissionHandler: (_request, { signal }) => {
      thinking = signal;
      return new Promise(() => {});
    },
  });
  const waiting = heard(session, "waiting_for_tool_confirmation");
  await session.send("x");
  await waiting;
  await session.close();
  expect(thinking?.aborted).toBe(true);
  expect(daemon.responses).toEqual([]);
});

test("a stream that waits for a permission ends when the connection does", async () => {
  const { daemon, connection } = await connected({}, { reconnect: false });
  daemon.onPrompt(hang());
  const session = await connection.createSession({ permissionHandler: () => NO_ANSWER });
  const stream = session.stream("x");
  await stream.next();
  daemon.cut();
  expect(await rejection(stream.next())).toMatchObject({ code: "CONNECTION_LOST" });
  expect(await rejection(session.respondToPermission("p", "cancel"))).toMatchObject({ code: "CONNECTION_LOST" });
});

/** Waits until the session has told that state. */
function heard(session: DaemonSession, state: string): Promise<void> {
  return new Promise((resolve) => {
    const stop = session.onNotification(({ newState }) => {
      if (newState !== state) return;
      stop();
      resolve();
    });
  });
}

test("handlers that are written apart from the options may return NO_ANSWER from an async function, and so keep a request pending", async () => {
  const { daemon, connection } = await connected(INBOX);
  daemon.onPrompt(async (prompt) => {
    prompt.message((await prompt.askPermission(execPermission())).selectedOption);
  });
  let tell = (_requestId: string) => {};
  const asked = new Promise<string>((resolve) => {
    tell = resolve;
  });
  // Without annotations: the types have to follow from the value.
  const handlers = {
    async permissionHandler(request: PermissionRequest) {
      tell(request.requestId);
      return NO_ANSWER;
    },
    askUserHandler: async () => NO_ANSWER,
  };
  const session = await connection.createSession(handlers);
  const stream = resultOf(session.stream("go"));
  await session.respondToPermission(await asked, "proceed_once");
  expect((await stream).text).toBe("proceed_once");
  await connection.close();
});
