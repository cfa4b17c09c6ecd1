import assert from "node:assert/strict";
import { isPosition, type Position } from "@daemon-sdk/protocol";
import type { ForegroundDaemon } from "./foreground-daemon.js";
import { RawClient } from "./raw-client.js";

/** Where the journals of these sessions end now, as a client sees it that has nothing to do with the scenario's. */
export async function journalHeads(
  { url, token }: Pick<ForegroundDaemon, "url" | "token">,
  sessionIds: readonly string[],
): Promise<Map<string, Position>> {
  using raw = await RawClient.connect(url, token);
  const heads = new Map<string, Position>();
  for (const sessionId of sessionIds) {
    const { result } = await raw.call("load_session", { sessionId, token });
    const position = result?.position;
    assert.ok(isPosition(position), `session ${sessionId} is there`);
    heads.set(sessionId, { epoch: position.epoch, seq: position.seq });
  }
  return heads;
}
