import { isNotification, sessionIdOf, type WireFrame } from "../wire-frame.js";
import type { DaemonBench, OpenedSession } from "./daemon-bench.js";
import type { WireClient } from "./wire-client.js";

type Opened = Pick<OpenedSession, "client" | "sessionId">;

/** A session whose turn waits for an answer. */
export async function asked(bench: DaemonBench, kind: "permission" | "question", session?: OpenedSession) {
  const opened = session ?? (await bench.session());
  const messageId = await bench.prompt(opened, bench.prompts[kind]);
  const request = await opened.client.serverRequest(opened.sessionId);
  return { opened: { ...opened, messageId }, request };
}

/** The first of a permission's options that is no refusal, as an answer. */
export function yes({ params }: WireFrame): { selectedOption: string; sessionId: unknown } {
  const options = (params?.options ?? []) as { value: string }[];
  const [selectedOption] = options.map(({ value }) => value).filter((value) => value !== "cancel");
  return { selectedOption: selectedOption ?? "cancel", sessionId: params?.sessionId };
}

/** The first option of each question, as an answer. */
export function answerOf({ params }: WireFrame): object {
  const questions = params?.questions as { index: number; question: string; options: string[] }[];
  const answers = questions.map(({ index, question, options }) => ({ index, question, answer: options[0] ?? "" }));
  return { answers, sessionId: params?.sessionId };
}

/** Server requests about sessions that a connection got. */
export function requestsOn(client: WireClient): WireFrame[] {
  return client.frames.filter((frame) => frame.type === "request" && sessionIdOf(frame) !== undefined);
}

/** Every `permission_resolved` of a session, early copies left out. */
export function resolutions({ client, sessionId }: Opened): Record<string, unknown>[] {
  const told = client.entries(sessionId).filter((frame) => isNotification(frame, "permission_resolved"));
  return told.flatMap(({ params }) => params?.notification ?? []);
}

/** The option that won. */
export function outcomeOf({ selectedOption }: Record<string, unknown>): unknown {
  return selectedOption;
}

/** Ids of what a snapshot lists as pending. */
export function pendingIds(snapshot: Readonly<Record<string, unknown>>): unknown[] {
  const lists = [snapshot.pendingPermissions, snapshot.pendingAskUserRequests] as (
    | { requestId: string }[]
    | undefined
  )[];
  return lists.flatMap((list) => list?.map(({ requestId }) => requestId) ?? []);
}
