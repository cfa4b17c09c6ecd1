import { isEndOf, type WireFrame, type WireNotification, wordFor } from "../wire-frame.js";
import type { DaemonBench, OpenedSession } from "./daemon-bench.js";

type Opened = Pick<OpenedSession, "client" | "sessionId">;

/** Interrupts the running turn. Returns the end of that message. */
export async function interrupted(
  bench: DaemonBench,
  { client, sessionId }: Opened,
  messageId: string,
): Promise<WireFrame> {
  await client.result("interrupt_session", { sessionId });
  if ((await bench.harness.offers()).has("turns")) return client.turnEnd(messageId);
  return client.waitFor((frame) => wordFor(frame) === "state:idle", "idle");
}

/** Whether a notification is the `create_message` of that user message, which begins its turn. */
export function showsMessage(messageId: string, notification: WireNotification | undefined): boolean {
  return notification?.type === "create_message" && (notification.message as { id?: string }).id === messageId;
}

/** How many turns a message began. */
export function timesShown({ client, sessionId }: Opened, messageId: string): number {
  return client.entries(sessionId).filter(({ params }) => showsMessage(messageId, params?.notification)).length;
}

/** How many ends a message has. */
export function timesEnded({ client, sessionId }: Opened, messageId: string): number {
  return client.entries(sessionId).filter((frame) => isEndOf(messageId, frame)).length;
}
