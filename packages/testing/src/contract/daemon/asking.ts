import { isNotification, sessionIdOf, type WireFrame } from "../wire-frame.js";
import type { DaemonBench, OpenedSession } from "./daemon-bench.js";
import type { WireClient } from "./wire-client.js";

type Opened = Pick<OpenedSession, "client" | "sessionId">;

/** Makes a session whose turn waits for an answer. */
export async function asked(bench: DaemonBench, kind: "permission" | "question", session?: OpenedSession) {
  const opened = session ?? (await bench.session());
  const messageId = await bench.prompt(opened, bench.prompts[kind]);
  const request = await opened.client.serverRequest(opened.sessionId);
  return { opened: { ...opened, messageId }, request };
}

/** An answer with the first option of a permission that is no refusal. */
export function yes({ params }: WireFrame): { selectedOption: string; sessionId: unknown } {
  const options = (params?.options ?? []) as { value: string }[];
  const [selectedOption] = options.map(({ value }) => value).filter((value) => value !== "cancel");
  return { selectedOption: selectedOption ?? "cancel", sessionId: params?.sessionId };
}

/** An answer with the first option of each question. */
export function answerOf({ params }: WireFrame): object {
  const questions = params?.questions as { index: number; question: string; options: string[] }[];
  const answers = questions.map(({ index, question, options }) => ({ index, question, answer: options[0] ?? "" }));
  return { answers, sessionId: params?.sessionId };
}

/** Session requests that a connection received. */
export function requestsOn(client: WireClient): WireFrame[] {
  return client.frames.filter((frame) => frame.type === "request" && sessionIdOf(frame) !== undefined);
}

/** Every `permission_resolved` of a session, without early copies. */
export function resolutions({ client, sessionId }: Opened): Record<string, unknown>[] {
  const told = client.entries(sessionId).filter((frame) => isNotification(frame, "permission_resolved"));
  return told.flatMap(({ params }) => params?.notification ?? []);
}

/** The option of the answer that counted. */
export function outcomeOf({ selectedOption }: Record<string, unknown>): unknown {
  return selectedOption;
}

/** Ids of the pending requests in a snapshot. */
export function pendingIds(snapshot: Readonly<Record<string, unknown>>): unknown[] {
  const lists = [snapshot.pendingPermissions, snapshot.pendingAskUserRequests] as (
    | { requestId: string }[]
    | undefined
  )[];
  return lists.flatMap((list) => list?.map(({ requestId }) => requestId) ?? []);
}
