import type { ListSessionsResponse, SessionInfo } from "@agentclientprotocol/sdk";
import { type AvailableSession, METHODS, RpcCode, RpcFault } from "@daemon-sdk/protocol";
import { FACE_LIMITS } from "../limits/index.js";
import type { DaemonLink } from "./daemon-link.js";

/** Which sessions an editor asks for. */
export interface ListQuery {
  readonly cwd?: string | null | undefined;
  readonly cursor?: string | null | undefined;
}

/**
 * A page of the sessions that are not archived, youngest first. A page may be short, and even empty, where others of the daemon's
 * sessions are in other directories; its cursor leads on.
 */
export async function listSessions(link: DaemonLink, { cwd, cursor }: ListQuery): Promise<ListSessionsResponse> {
  const sessions: SessionInfo[] = [];
  let endBefore = cursor === undefined || cursor === null ? undefined : readCursor(cursor);
  for (let reads = 0; reads < FACE_LIMITS.listReads; reads++) {
    const limit = FACE_LIMITS.listPage - sessions.length;
    const page = await link.request(METHODS.listAvailableSessions, {
      limit,
      ...(endBefore !== undefined && { endBefore }),
    });
    const isAsked = (one: AvailableSession) => one.archivedAt === undefined && (!cwd || one.cwd === cwd);
    sessions.push(...page.sessions.filter(isAsked).map(infoOf));
    endBefore = page.hasMore ? page.nextCursor : undefined;
    if (endBefore === undefined || sessions.length >= FACE_LIMITS.listPage) break;
  }
  return { sessions, ...(endBefore !== undefined && { nextCursor: cursorOf(endBefore) }) };
}

function infoOf({ sessionId, cwd = "/", title, updatedAt }: AvailableSession): SessionInfo {
  const updated = new Date(updatedAt * 1000).toISOString();
  return { sessionId, cwd, updatedAt: updated, ...(title !== undefined && { title }) };
}

function cursorOf(endBefore: number): string {
  return Buffer.from(JSON.stringify({ endBefore })).toString("base64url");
}

function readCursor(cursor: string): number {
  try {
    const { endBefore } = JSON.parse(Buffer.from(cursor, "base64url").toString()) as { endBefore?: unknown };
    if (typeof endBefore === "number" && Number.isFinite(endBefore)) return endBefore;
  } catch {
    // The refusal below says what is wrong.
  }
  throw new RpcFault(RpcCode.invalidParams, "session/list: cursor: not one of this agent. Begin without a cursor.");
}
