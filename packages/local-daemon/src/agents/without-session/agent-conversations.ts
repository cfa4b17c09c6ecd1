import { tmpdir } from "node:os";
import { type Logger, newId, type SessionId } from "@daemon-sdk/protocol";
import type { AgentSpawner, AgentSpec } from "../agent.js";
import { IGNORED_EVENTS } from "./ignored-events.js";

/** Options of {@link AgentConversations}. */
export interface AgentConversationsOptions {
  readonly spawner: AgentSpawner;
  readonly logger: Logger;
}

/** Conversations of one agent that are to be deleted. */
interface Wanted {
  readonly ids: string[];
  /** Settles when the agent was asked for all of them. */
  readonly asked: Promise<void>;
}

/**
 * The conversations that agents keep by themselves, deleted with their sessions.
 *
 * An agent deletes a conversation only when it is asked, so its program is started for that: once for all conversations that
 * wait, and one program at a time. An agent that has said that it cannot is not started again.
 */
export class AgentConversations {
  readonly #options: AgentConversationsOptions;
  /** By the agent's name. */
  readonly #wanted = new Map<string, Wanted>();
  readonly #unable = new Set<string>();
  /** Settles with the last program that was started. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: AgentConversationsOptions) {
    this.#options = options;
  }

  /** Resolves when the agent was asked, or cannot delete conversations. Rejects when it could not be asked. */
  async delete(spec: AgentSpec, agentSessionId: string): Promise<void> {
    const isAble = spec.driver === "acp" || spec.deletesSessions === true;
    if (!isAble || this.#unable.has(spec.name)) return;
    const wanted = this.#wanted.get(spec.name) ?? this.#enqueue(spec);
    wanted.ids.push(agentSessionId);
    await wanted.asked;
  }

  #enqueue(spec: AgentSpec): Wanted {
    const ids: string[] = [];
    const asked = this.#last.then(() => this.#ask(spec, ids));
    this.#last = asked.catch(() => {});
    const wanted = { ids, asked };
    this.#wanted.set(spec.name, wanted);
    return wanted;
  }

  async #ask(spec: AgentSpec, ids: readonly string[]): Promise<void> {
    this.#wanted.delete(spec.name);
    const { spawner, logger } = this.#options;
    const agent = await spawner.spawn(spec, newId() as SessionId, tmpdir(), IGNORED_EVENTS);
    try {
      for (const id of ids) {
        if ((await agent.forget?.(id)) === true) continue;
        this.#unable.add(spec.name);
        logger.debug({ agent: spec.name }, "the agent cannot delete conversations");
        return;
      }
    } finally {
      await agent.stop();
    }
  }
}
