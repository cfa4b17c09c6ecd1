import { isRecord } from "@daemon-sdk/protocol";
import type { HolderAddress } from "../agents/index.js";
import { type CarriedSession, isCarriedSession, type SessionVariables } from "../sessions/index.js";
import { isHolderAddress } from "./hand-over-file.js";

/** What a daemon leaves to the next one, beside the store: what only its memory has. */
export interface Estate {
  readonly sessions: readonly EstateSession[];
  readonly environments: readonly SessionVariables[];
  /** Holders of agents of still earlier daemons. */
  readonly holders: readonly HolderAddress[];
}

/** A session whose agent runs on, and the socket of its holder. */
export interface EstateSession {
  readonly carried: CarriedSession;
  readonly holder: string;
}

/** An estate as the former daemon sent it; what is not understood is left out, and its agents are ended. */
export function estateFrom(value: unknown): Estate {
  const { sessions, environments, holders } = isRecord(value) ? value : {};
  return {
    sessions: listOf(sessions).filter(isEstateSession),
    environments: listOf(environments).filter(isVariables),
    holders: listOf(holders).filter(isHolderAddress),
  };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isEstateSession(value: unknown): value is EstateSession {
  return isRecord(value) && typeof value.holder === "string" && isCarriedSession(value.carried);
}

function isVariables(value: unknown): value is SessionVariables {
  return isRecord(value) && typeof value.sessionId === "string" && isRecord(value.variables);
}
