import assert from "node:assert/strict";
import type { DaemonConnection, DaemonSession, DaemonSessionOptions, DroidStreamEvent } from "@daemon-sdk/client";
import type { DaemonProcess } from "../support/daemon-process.js";

/** What a check works with: a daemon process, and one connection to it that many checks share. */
export interface Ground {
  readonly daemon: DaemonProcess;
  readonly connection: DaemonConnection;
}

/** One of the sixteen: a sentence that holds, or `run` throws. */
export interface StressCheck {
  readonly title: string;
  run(ground: Ground): Promise<void>;
}

/** A session in the daemon's workspace; closed when the block that holds it ends. */
export function openSession(ground: Ground, options: DaemonSessionOptions = {}): Promise<DaemonSession> {
  return ground.connection.createSession({ cwd: ground.daemon.workspace, ...options });
}

/** Streams a prompt to its end and returns all that came. */
export async function collect(
  session: DaemonSession,
  prompt: string,
  options?: Parameters<DaemonSession["stream"]>[1],
): Promise<DroidStreamEvent[]> {
  const events: DroidStreamEvent[] = [];
  for await (const event of session.stream(prompt, options)) events.push(event);
  return events;
}

/** The result that ends a stream. */
export function resultOf(events: readonly DroidStreamEvent[]): Extract<DroidStreamEvent, { type: "result" }> {
  const last = events.at(-1);
  assert.equal(last?.type, "result", "a stream ends with its result");
  return last as Extract<DroidStreamEvent, { type: "result" }>;
}

/** Fails when `work` has not settled within that time: nothing here may hang. */
export async function within<Value>(ms: number, work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  // Made here, because a timer's stack does not contain the caller.
  const error = new Error(`not done after ${ms} ms`);
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(error), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
