import { readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Logger, SessionId } from "@daemon-sdk/protocol";
import { type HeldMark, type HolderAddress, HolderLink } from "../agents/index.js";
import type { Claim, Unclaimed } from "../rendezvous/index.js";
import type { HeldSession, SessionVariables } from "../sessions/index.js";
import { type Estate, estateFrom } from "./estate.js";
import { readHandOver, removeHandOver } from "./hand-over-file.js";

const HOLDER_SOCKET = /^holder\.[0-9a-f]{8}\.sock$/;

/** Where a succession is looked for. */
export type SuccessionPlace = Pick<Claim | Unclaimed, "stateDir" | "holderSocketPath">;

/**
 * What a daemon got from the one before it: held agents, with the links to their holders.
 *
 * Until {@link adopt} nothing has changed for the former daemon, which goes on when this one fails.
 */
export class Succession {
  readonly #place: SuccessionPlace;
  readonly #links: readonly HolderLink[];
  readonly #estate: Estate;

  /** What the state directory's former daemon handed over; empty when it handed nothing over, or has ended since. */
  static async find(place: SuccessionPlace, logger: Logger): Promise<Succession> {
    const { stateDir } = place;
    const address = stateDir === undefined ? undefined : await readHandOver(stateDir);
    const former = address && (await opened(address, logger));
    if (former === undefined) return new Succession(place, [], estateFrom(undefined));
    const estate = estateFrom(former.estate);
    const others = await Promise.all(estate.holders.map((holder) => opened(holder, logger)));
    const links = [former, ...others].filter((link) => link !== undefined);
    logger.info(
      { agents: estate.sessions.length, holders: links.length },
      "agents of the former daemon are taken over",
    );
    return new Succession(place, links, estate);
  }

  private constructor(place: SuccessionPlace, links: readonly HolderLink[], estate: Estate) {
    this.#place = place;
    this.#links = links;
    this.#estate = estate;
  }

  /** The marks of held agents, which are no leftovers. */
  get marks(): HeldMark[] {
    return this.#links.flatMap(({ instanceId, listed }) => listed.map(({ sessionId }) => ({ instanceId, sessionId })));
  }

  get environments(): readonly SessionVariables[] {
    return this.#estate.environments;
  }

  /** Sessions whose agents are held. */
  get sessions(): ReadonlyMap<SessionId, HeldSession> {
    const held = new Map<SessionId, HeldSession>();
    for (const { carried, holder } of this.#estate.sessions) {
      const link = this.#links.find(({ address }) => address.socketPath === holder);
      if (link?.listed.some(({ sessionId }) => sessionId === carried.sessionId) !== true) continue;
      const adopt: HeldSession["adopt"] = (events) =>
        link.agentOf(carried.sessionId, events, carried.turn !== undefined);
      held.set(carried.sessionId, { carried, adopt });
    }
    return held;
  }

  /** Receives the agents' events from now on. The former daemon does not come back. */
  async adopt(logger: Logger): Promise<void> {
    for (const link of this.#links) {
      await link.adopt().catch(async (error: unknown) => {
        logger.error({ error: String(error) }, "held agents could not be adopted: they are ended");
        link.close();
        await link.endAgents();
      });
    }
    const { stateDir, holderSocketPath } = this.#place;
    if (stateDir === undefined || holderSocketPath === undefined) return;
    await removeHandOver(stateDir);
    await sweepHolderSockets(dirname(holderSocketPath), new Set(this.#links.map(({ address }) => address.socketPath)));
  }

  /** Leaves held agents to the next daemon. Returns their holders. Never rejects. */
  async release(): Promise<HolderAddress[]> {
    const open = this.#links.filter(({ isOpen }) => isOpen);
    const released = await Promise.all(open.map((link) => link.release()));
    return open.filter((_link, at) => released[at]).map(({ address }) => address);
  }

  /** The holder of a session's agent. */
  holderOf(sessionId: string): string | undefined {
    return this.#links.find(({ listed }) => listed.some((one) => one.sessionId === sessionId))?.address.socketPath;
  }

  /** Closes the links. Without {@link adopt}, the former daemon goes on. */
  close(): void {
    for (const link of this.#links) link.close();
  }
}

/** Removes the sockets of holders that were killed. The other ones remove their own. */
async function sweepHolderSockets(directory: string, known: ReadonlySet<string>): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  const paths = names.filter((name) => HOLDER_SOCKET.test(name)).map((name) => join(directory, name));
  for (const path of paths) if (!known.has(path)) await rm(path, { force: true }).catch(() => {});
}

/** Undefined when the holder has ended meanwhile: its agents have, too, or are leftovers. */
async function opened(address: HolderAddress, logger: Logger): Promise<HolderLink | undefined> {
  try {
    return await HolderLink.open({ ...address, logger });
  } catch (error) {
    logger.warn({ socketPath: address.socketPath, error: String(error) }, "a holder of agents does not answer");
    return undefined;
  }
}
