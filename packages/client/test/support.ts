import type { DaemonCapabilities } from "@daemon-sdk/protocol";
import { FakeDaemon, type FakeDaemonOptions, type FakePrompt, type FakeSession } from "@daemon-sdk/testing";
import {
  type ConnectDaemonOptions,
  connectDaemon,
  type DaemonConnection,
  type DroidStreamEvent,
  type ResultEvent,
} from "../src/index.js";

/** What our daemon offers. */
export const OUR_CAPABILITIES: DaemonCapabilities = {
  turns: true,
  inbox: true,
  directInterrupt: true,
  detach: true,
  positions: true,
};

/** The same with credit, receipts and the inbox of all sessions. */
export const EXTENDED_CAPABILITIES: DaemonCapabilities = {
  ...OUR_CAPABILITIES,
  credit: true,
  receipts: true,
  requests: true,
};

/** The daemons every behaviour has to hold against: an old one, a newer plain one, ours, and one that acknowledges late. */
export const DAEMONS: readonly { kind: string; options: FakeDaemonOptions }[] = [
  { kind: "a daemon that only goes idle", options: {} },
  { kind: "a plain daemon that completes turns", options: { completesTurns: true } },
  { kind: "our daemon", options: { capabilities: OUR_CAPABILITIES } },
  { kind: "a daemon that acknowledges late", options: { acknowledgesLate: true } },
];

/** A fake daemon and a connection to it. */
export async function connected(
  options: FakeDaemonOptions = {},
  connect: ConnectDaemonOptions = {},
): Promise<{ daemon: FakeDaemon; connection: DaemonConnection }> {
  const daemon = new FakeDaemon({ plain: options.capabilities === undefined, ...options });
  const connection = await connectDaemon({ transport: daemon.dial, apiKey: "fk-test", ...connect });
  return { daemon, connection };
}

/** A fake daemon of {@link EXTENDED_CAPABILITIES}, a connection to it, and its only session on both sides. */
export async function opened(connect: ConnectDaemonOptions = {}) {
  const { daemon, connection } = await connected({ capabilities: EXTENDED_CAPABILITIES }, connect);
  const session = await connection.createSession();
  return { daemon, connection, session, on: sessionOf(daemon, session.sessionId) };
}

/** A session as the fake daemon has it. */
export function sessionOf(daemon: FakeDaemon, id: string): FakeSession {
  const session = daemon.sessions.get(id);
  if (session === undefined) throw new TypeError(`The fake daemon has no session ${id}`);
  return session;
}

/** Has a session say these pieces of text, whether a turn runs in it or not. */
export function tell(session: FakeSession, texts: readonly string[]): void {
  for (const textDelta of texts) {
    session.notify({ type: "assistant_text_delta", messageId: "m", blockIndex: 0, textDelta });
  }
}

/** Lets everything that is on its way in memory arrive. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A script that ends its turn by nothing it does. */
export function forever(): Promise<void> {
  return new Promise(() => {});
}

/** Reads a stream to its end. */
export async function collect<Output>(
  stream: AsyncIterable<DroidStreamEvent<Output>>,
): Promise<DroidStreamEvent<Output>[]> {
  const events: DroidStreamEvent<Output>[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** The result of a stream, its last event. */
export async function resultOf<Output>(stream: AsyncIterable<DroidStreamEvent<Output>>): Promise<ResultEvent<Output>> {
  const last = (await collect(stream)).at(-1);
  if (last?.type !== "result") throw new TypeError(`The stream ended with ${last?.type}, not with a result`);
  return last;
}

/** What a promise rejected with; fails when it did not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new TypeError(`Expected a rejection, got ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}

/** A script that says one thing and then waits for whatever ends the turn. */
export function hang(text = "working"): (prompt: FakePrompt) => Promise<void> {
  return async (prompt) => {
    prompt.delta(text);
    await new Promise<void>((resolve) => prompt.signal.addEventListener("abort", () => resolve(), { once: true }));
  };
}

/** A permission request of one shell command. */
export function execPermission(command = "ls", id = "tool-1") {
  return {
    toolUses: [
      {
        toolUse: { type: "tool_use" as const, id, name: "Execute", input: { command } },
        confirmationType: "exec",
        details: { type: "exec" as const, fullCommand: command, command },
      },
    ],
  };
}
