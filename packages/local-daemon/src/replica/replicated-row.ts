import type { ReplicatedRow } from "@daemon-sdk/protocol";
import type { SessionRow } from "../storage/index.js";

/**
 * What of a row leaves the machine. Named one by one, so that what a later version adds to rows stays here until somebody has decided that
 * it holds no secret.
 */
export function replicatedRow(row: SessionRow): ReplicatedRow {
  const { id, agent, cwd, title, settings, tags, tokenUsage, createdAt, updatedAt, archivedAt } = row;
  return {
    ...{ sessionId: id, agent, cwd, settings, tags, createdAt, updatedAt },
    ...(title === undefined ? {} : { title }),
    ...(tokenUsage === undefined ? {} : { tokenUsage }),
    ...(archivedAt === undefined ? {} : { archivedAt }),
  };
}
