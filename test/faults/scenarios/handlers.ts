import assert from "node:assert/strict";
import { connectDaemon, DaemonError } from "@daemon-sdk/client";
import { METHODS, ProtocolEngine, RpcFault, silentLogger } from "@daemon-sdk/protocol";
import { FakeDaemon, memoryTransport } from "@daemon-sdk/testing";
import { within } from "../../stress/check.js";
import type { FaultScenario } from "../scenario.js";

const SOON_MS = 20_000;

/** What a handler can do wrong. */
const WRONG: readonly (readonly [string, () => unknown])[] = [
  [
    "throws",
    () => {
      throw new TypeError("a handler's own fault");
    },
  ],
  ["throws no error", () => Promise.reject("a text")],
  ["rejects", () => Promise.reject(new TypeError("a handler's own fault"))],
  ["returns a BigInt", () => 1n],
  ["returns a cycle", cycle],
  ["returns a function", () => ({ selectedOption: () => "proceed_once" })],
  ["returns what was not offered", () => "proceed_always_everything"],
];

/** F12: handlers of others that fail. */
export const handlerScenarios: readonly FaultScenario[] = [
  {
    id: "F12",
    title: "a handler that fails is answered for, told of once, and the connection lives",
    isQuick: true,
    async run() {
      for (const [name, handler] of WRONG.slice(0, 5)) await failInEngine(name, handler);
      for (const [name, handler] of WRONG) {
        await failInSession(name, handler, "permission");
        await failInSession(name, handler, "question");
      }
      return `${WRONG.length} ways to fail: the engine answers -32603, a session's handler counts as cancel, each told once`;
    },
  },
];

function cycle(): object {
  const value: Record<string, unknown> = {};
  value.itself = value;
  return value;
}

/** A handler of the engine itself: its caller gets -32603 without details. */
async function failInEngine(name: string, handler: () => unknown): Promise<void> {
  const { near, far } = memoryTransport();
  const told: string[] = [];
  const logger = { ...silentLogger, error: (_fields: object, message: string) => told.push(message) };
  const serving = new ProtocolEngine(near, { prefix: "daemon", logger });
  const calling = new ProtocolEngine(far, { prefix: "daemon" });
  serving.onRequest = ({ method }) => (method === "ping" ? {} : handler());
  const refused: unknown = await within(SOON_MS, calling.requestNamed("anything", {})).catch((error: unknown) => error);
  assert.equal(Reflect.get(Object(refused), "rpcCode"), -32603, `${name}: ${String(refused)}`);
  assert.ok(!RpcFault.is(refused) && !String(refused).includes("own fault"), `${name}: nothing of the inside is told`);
  assert.deepEqual(await calling.request(METHODS.ping, {}), {}, `${name}: the connection lives`);
  assert.equal(told.length, 1, `${name}: told once, not ${told.length} times`);
  serving.close();
}

/** A session's handler: the agent continues as after a refusal (docs/protocol.md, "Server requests"). */
async function failInSession(name: string, handler: () => unknown, kind: "permission" | "question"): Promise<void> {
  const daemon = new FakeDaemon();
  daemon.onPrompt(async (prompt) => {
    if (prompt.text === "ask") await ask(prompt, kind);
    prompt.delta("done");
    prompt.message();
  });
  const errors: Error[] = [];
  const options = { transport: daemon.dial, apiKey: "any", onError: (error: Error) => errors.push(error) };
  const connection = await connectDaemon(options);
  const session = await connection.createSession({
    permissionHandler: handler as () => never,
    askUserHandler: handler as () => never,
  });
  await within(SOON_MS, drain(session.stream("ask")));
  const [answer] = daemon.responses;
  assert.equal(daemon.responses.length, 1, `${name}: the ${kind} is answered once`);
  assert.match(JSON.stringify(answer), /"cancel"|"cancelled":true/, `${name}: as cancelled`);
  assert.deepEqual(
    errors.map((error) => DaemonError.is(error) && error.code),
    ["HANDLER_FAILED"],
    `${name}: told once`,
  );
  await within(SOON_MS, drain(session.stream("again")));
  await connection.close();
}

interface Asking {
  askPermission(permission: never): Promise<unknown>;
  askUser(questions: never): Promise<unknown>;
}

async function ask(prompt: Asking, kind: "permission" | "question"): Promise<void> {
  const toolUse = { type: "tool_use", id: "t", name: "Execute", input: { command: "ls" } };
  const details = { type: "exec", fullCommand: "ls", command: "ls" };
  if (kind === "permission") {
    await prompt.askPermission({ toolUses: [{ toolUse, confirmationType: "exec", details }] } as never);
  } else {
    const question = { index: 0, topic: "t", question: "Which?", options: ["a", "b"] };
    await prompt.askUser({ questions: [question] } as never);
  }
}

async function drain(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _event of events);
}
