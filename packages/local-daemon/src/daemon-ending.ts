import type { EditorConnections } from "./acp-face/index.js";
import type { AgentGuard, AgentHolder, HolderAddress, LoginShell } from "./agents/index.js";
import type { ResolvedConfig } from "./config.js";
import type { Console } from "./console/index.js";
import type { OpenRelay } from "./daemon-doors.js";
import { type HandOver, holdAgents, type LeaveOrder, type Succession, whyEnded } from "./hand-over/index.js";
import type { Listener } from "./listener/index.js";
import type { Observation } from "./observation.js";
import { restartedElsewhere } from "./refusals.js";
import type { Claim, Unclaimed } from "./rendezvous/index.js";
import type { Retention } from "./retention/index.js";
import type { MessageSearch } from "./search/index.js";
import type { SessionConnections } from "./session-connections.js";
import { bequeath, type SessionHost } from "./sessions/index.js";
import type { Store } from "./storage/index.js";

/** The parts of a daemon that end with it. */
export interface EndingParts {
  readonly config: ResolvedConfig;
  readonly claim: Claim | Unclaimed;
  readonly store: Store;
  readonly loginShell: LoginShell;
  readonly host: SessionHost;
  readonly connections: SessionConnections;
  readonly search: MessageSearch;
  readonly retention: Retention | undefined;
  readonly observation: Observation;
  readonly guard: AgentGuard | undefined;
  readonly sweeper: NodeJS.Timeout | undefined;
  readonly succession: Succession | undefined;
  readonly listener: Listener | undefined;
  readonly relay: OpenRelay | undefined;
  readonly editors: Promise<EditorConnections> | undefined;
  readonly console: Console | undefined;
  /** Cuts short the wait for running turns. */
  readonly drainCut: AbortSignal;
}

/** The two ways in which a daemon ends: for good, or for another daemon that goes on with its agents. */
export class DaemonEnding {
  readonly #parts: EndingParts;

  constructor(parts: EndingParts) {
    this.#parts = parts;
  }

  /** Ends everything. @param why what turns are told that had not ended within `drainMs` */
  async close(drainMs: number, why?: string): Promise<void> {
    const { config, connections, host } = this.#parts;
    config.logger.info({ drainMs, connections: connections.size }, "the daemon stops");
    await this.#takeNothingNew();
    await this.#drain(drainMs, why);
    // Agents first: clients that are still connected get the ends of their turns.
    await host.stop();
    await this.#disconnect();
    await this.#free();
  }

  /** Ends everything but the agents that run, which this process holds for the next daemon of the state directory. */
  async handOver(order: LeaveOrder): Promise<void> {
    const { config, claim, host, succession } = this.#parts;
    const { logger, onHandOver } = config;
    if (onHandOver === undefined || claim.stateDir === undefined || succession === undefined)
      throw restartedElsewhere();
    logger.info({ to: order.to, waitMs: order.waitMs }, "the daemon hands over to another");
    try {
      await this.#takeNothingNew();
      if (order.waitMs !== undefined) await this.#drain(order.waitMs, whyEnded(order));
      await this.#disconnect();
      onHandOver(handOverOf(await this.#hold(claim, succession), order));
    } catch (error) {
      // Half of it is done, and none of that can be taken back: this daemon ends all the same.
      onHandOver(FAILED_HAND_OVER);
      throw error;
    } finally {
      await host.stop();
      await this.#free();
    }
  }

  async #hold(claim: Claim, succession: Succession): Promise<AgentHolder> {
    const { config, host } = this.#parts;
    let holders: HolderAddress[] = [];
    const bequest = await bequeath(host, async () => {
      holders = await succession.release();
    });
    try {
      return await holdAgents({ bequest, claim, succession, holders, logger: config.logger });
    } catch (error) {
      for (const { kept } of bequest.sessions) void kept.agent.stop();
      throw error;
    }
  }

  async #takeNothingNew(): Promise<void> {
    clearInterval(this.#parts.sweeper);
    const retained = this.#parts.retention?.stop();
    this.#parts.loginShell.close();
    this.#parts.connections.drain();
    await this.#parts.listener?.close();
    await retained;
  }

  async #drain(drainMs: number, why?: string): Promise<void> {
    const { host, drainCut, config } = this.#parts;
    const drained = await host.drain(drainMs, drainCut, why);
    if (drained.interrupted > 0) config.logger.warn(drained, "turns did not end in time and were interrupted");
  }

  async #disconnect(): Promise<void> {
    const { connections, editors, relay, console } = this.#parts;
    console?.close();
    await connections.close();
    await (await editors)?.close();
    await relay?.door.close();
    await relay?.host.stop();
  }

  /** Frees the state directory. */
  async #free(): Promise<void> {
    const { search, store, observation, guard, claim } = this.#parts;
    await search.close();
    await store.close();
    observation.close();
    guard?.close();
    await claim.release();
  }
}

/** Nothing is held; the process is to start a daemon again. */
const FAILED_HAND_OVER: HandOver = {
  outcome: Promise.resolve("failed"),
  ended: Promise.resolve(),
  close: async () => {},
};

function handOverOf(holder: AgentHolder, { gone }: LeaveOrder): HandOver {
  const outcome = Promise.race([
    holder.adopted.then(() => "adopted" as const),
    holder.ended.then(() => "failed" as const),
    gone.then(() => holder.forsaken).then(() => "failed" as const),
  ]);
  return { outcome, ended: holder.ended, close: () => holder.close() };
}
