import { randomBytes } from "node:crypto";
import type { Logger } from "@daemon-sdk/protocol";
import { AgentHolder, type HeldProcess } from "../agents/index.js";
import type { Claim } from "../rendezvous/index.js";
import type { Bequest, HandedOver } from "../sessions/index.js";
import type { EstateSession } from "./estate.js";
import { writeHandOver } from "./hand-over-file.js";
import type { Succession } from "./succession.js";

/** What {@link holdAgents} needs. */
export interface HoldOptions {
  readonly bequest: Bequest;
  readonly claim: Pick<Claim, "stateDir" | "holderSocketPath" | "instanceId">;
  /** What this daemon itself got from an earlier one. */
  readonly succession: Succession;
  readonly holders: Awaited<ReturnType<Succession["release"]>>;
  readonly logger: Logger;
}

/** Holds the agents of this process for the next daemon of the state directory, and leaves word there. */
export async function holdAgents({ bequest, claim, succession, holders, logger }: HoldOptions): Promise<AgentHolder> {
  const { holderSocketPath: socketPath, instanceId, stateDir } = claim;
  const secret = randomBytes(32).toString("base64url");
  const sessions: EstateSession[] = bequest.sessions.map(({ kept, carried }) => ({
    carried,
    holder: (kept.outlet === undefined ? succession.holderOf(carried.sessionId) : undefined) ?? socketPath,
  }));
  const agents = bequest.sessions.map(heldProcess).filter((held) => held !== undefined);
  const estate = { sessions, environments: bequest.environments, holders };
  const holder = await AgentHolder.open({ socketPath, secret, instanceId, agents, estate, logger });
  try {
    await writeHandOver(stateDir, { socketPath, secret });
    return holder;
  } catch (error) {
    await holder.close();
    throw error;
  }
}

/** Undefined for an agent that an earlier process holds. */
function heldProcess({ kept: { agent, outlet }, carried, prompted }: HandedOver): HeldProcess | undefined {
  return outlet === undefined ? undefined : { sessionId: carried.sessionId, agent, outlet, prompted };
}
