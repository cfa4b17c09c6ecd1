import { describe, expect, test } from "vitest";
// The package has no door to its schemas.
import {
  zRequestPermissionRequest,
  zSessionNotification,
} from "../../node_modules/@agentclientprotocol/sdk/dist/v1/schema/zod.gen.js";
import { modelUpdates } from "../agents/acp/own-texts.js";
import { allRecordings, type RecordedFrame, type Recording } from "../agents/acp/recording.js";
import type { Frame } from "./editor.js";
import { playAsClient } from "./play-as-client.js";
import { textsOf, toldBy } from "./told.js";

const RECORDINGS = allRecordings();

describe.each(RECORDINGS)("$agent: $scenario", (recording) => {
  test("is played as a client of the face", async () => {
    const { frames, prompts, sessions } = await playAsClient(recording);
    const prompted = sessions.filter(({ id, prompts: count }) => id !== undefined && count > 0);
    expect(prompted).toHaveLength(sessionsOf(recording));
    for (const { recorded, sent, replayed, before } of sessions) {
      const [wanted, told] = [toldBy(modelUpdates(recording.agent, recorded)), toldBy(sent)];
      expect(told.order).toEqual(wanted.order);
      for (const [id, tool] of Object.entries(wanted.tools)) expectTool(told.tools[id] ?? {}, tool);
      for (const { toolCallId } of sent.filter(({ sessionUpdate }) => sessionUpdate === "tool_call")) {
        expect(sent.filter((one) => one.sessionUpdate === "tool_call" && one.toolCallId === toolCallId)).toHaveLength(
          1,
        );
      }
      expect(textsOf(replayed)).toBe(before);
    }
    for (const { answers, recorded, wasCancelled } of prompts) {
      expect(answers).toHaveLength(1);
      const stopReason = answers[0]?.result?.stopReason;
      if (wasCancelled) expect(stopReason ?? answers[0]?.error?.code).toBe("cancelled");
      else expectEnd(stopReason, recorded);
    }
    for (const frame of frames) expectValid(frame);
  });
});

/** How many sessions the recorded agent made in which the recorder sent a prompt. */
function sessionsOf({ lines }: Recording): number {
  const made = new Set<unknown>();
  const prompted = new Set<unknown>();
  let lastNew: unknown;
  for (const { dir, frame } of lines) {
    if (frame?.method === "session/new") lastNew = frame.id;
    const { sessionId } = (frame?.result ?? {}) as { sessionId?: unknown };
    if (dir === "a->c" && typeof sessionId === "string" && frame?.id === lastNew) made.add(sessionId);
    if (frame?.method === "session/prompt" && made.has(frame.params?.sessionId)) prompted.add(frame.params?.sessionId);
  }
  return prompted.size;
}

/** The last fields of a tool are the agent's; a tool that the agent left open has failed. */
function expectTool(
  told: Readonly<Record<string, unknown>>,
  { status, ...fields }: Readonly<Record<string, unknown>>,
): void {
  expect(told).toMatchObject(fields);
  const isEnded = status === "completed" || status === "failed";
  expect(told.status).toBe(isEnded ? status : "failed");
}

/** A turn that the recorded agent ended is ended alike, but for a turn without any content, which is an error here. */
function expectEnd(stopReason: unknown, recorded: RecordedFrame | undefined): void {
  const { stopReason: wanted } = (recorded?.result ?? {}) as { stopReason?: unknown };
  if (recorded?.error !== undefined || recorded === undefined) expect(stopReason).toBeUndefined();
  else if (stopReason !== undefined) expect(stopReason).toBe(wanted);
}

/** The protocol's own schemas accept what the face sends. */
function expectValid({ method, params }: Frame): void {
  if (method === "session/update") expect(zSessionNotification.safeParse(params).error).toBeUndefined();
  if (method === "session/request_permission")
    expect(zRequestPermissionRequest.safeParse(params).error).toBeUndefined();
}
