import { Socket } from "node:net";
import { isRecord } from "@daemon-sdk/protocol";
import { afterEach, expect, test, vi } from "vitest";
import { daemonDesk } from "./daemon-desk.js";

const { stackTraceLimit } = Error;

afterEach(() => {
  vi.restoreAllMocks();
  Error.stackTraceLimit = stackTraceLimit;
});

/** Gives an agent its turn of the loop, and never sees an event. */
const SCHEDULER = "agents/drivers/output-share.ts";

/** Files of ours whose methods stand on a stack, the first caller first, each once. A plain function passes nothing on. */
function partsOn(stack: string): string[] {
  const files = stack.split("\n").flatMap((line) => {
    const [, file] = /^ +at (?:async )?[A-Za-z]+\.\S+.*\/packages\/[a-z-]+\/src\/([^:]+)/.exec(line) ?? [];
    return file === undefined || file === SCHEDULER ? [] : [file];
  });
  return [...new Set(files.reverse())];
}

test("an event passes fourteen parts from the agent's pipe to the socket: each does something with it", async () => {
  await using desk = daemonDesk();
  await desk.start();
  const client = await desk.connect();
  await client.createSession("s-1", { cwd: desk.cwd });
  const stacks: string[] = [];
  const note = () => stacks.push(new Error("on the way").stack ?? "");
  Error.stackTraceLimit = 100;
  const { stringify } = JSON;
  const isDelta = (value: unknown) => isRecord(value) && value.type === "assistant_text_delta";
  vi.spyOn(JSON, "stringify").mockImplementation((...args: Parameters<typeof stringify>) => {
    if (isDelta(args[0])) note();
    return stringify(...args);
  });
  const { write } = Socket.prototype;
  vi.spyOn(Socket.prototype, "write").mockImplementation(function (this: Socket, ...args: unknown[]) {
    if (String(args[0]).includes('"assistant_text_delta"')) note();
    return Reflect.apply(write, this, args);
  });
  await client.call("add_user_message", { sessionId: "s-1", text: "say hello", messageId: "m-1" });
  await client.turnEnd("m-1");

  const [written = "", ...sent] = stacks;
  // The first part is on neither stack: session/newline-framing.ts has cut the chunk into lines before.
  expect([...new Set([...partsOn(written), ...partsOn(sent.at(-1) ?? "")])]).toEqual([
    "agents/drivers/stdio-transport.ts",
    "rpc/protocol-engine.ts",
    "agents/drivers/stream-jsonrpc.ts",
    "agents/hold/agent-outlet.ts",
    "sessions/session-events.ts",
    "sessions/session.ts",
    "journal/log.ts",
    "journal/committer.ts",
    "journal/cursor.ts",
    "connection/write-queue.ts",
    "web-socket-transport.ts",
    "node-link.ts",
    "coalescer.ts",
  ]);
});
