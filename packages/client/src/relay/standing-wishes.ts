import {
  type ChannelJoinPayload,
  createEnvelope,
  type Envelope,
  type ShadowBindPayload,
} from "@daemon-sdk/protocol/relay";

/**
 * What this client wants to hear of, beside what is addressed to it: topics, channels, a shadowed agent. The daemon may have
 * forgotten all of it when the client comes back, so it is said again after each WELCOME; to say it twice does no harm.
 */
export class StandingWishes {
  readonly #topics = new Set<string>();
  readonly #channels = new Map<string, ChannelJoinPayload>();
  #shadowed: ShadowBindPayload | undefined;

  subscribe(topic: string): Envelope<unknown> {
    this.#topics.add(topic);
    return createEnvelope("SUBSCRIBE", {}, { topic });
  }

  unsubscribe(topic: string): Envelope<unknown> {
    this.#topics.delete(topic);
    return createEnvelope("UNSUBSCRIBE", {}, { topic });
  }

  join(payload: ChannelJoinPayload): Envelope<unknown> {
    this.#channels.set(payload.channel, payload);
    return createEnvelope("CHANNEL_JOIN", payload);
  }

  leave(channel: string, reason: string | undefined): Envelope<unknown> {
    this.#channels.delete(channel);
    return createEnvelope("CHANNEL_LEAVE", { channel, ...(reason === undefined ? {} : { reason }) });
  }

  /** A shadow has one primary: a new one replaces the old. */
  shadow(payload: ShadowBindPayload): Envelope<unknown> {
    this.#shadowed = payload;
    return createEnvelope("SHADOW_BIND", payload);
  }

  unshadow(primaryAgent: string): Envelope<unknown> {
    if (this.#shadowed?.primaryAgent === primaryAgent) this.#shadowed = undefined;
    return createEnvelope("SHADOW_UNBIND", { primaryAgent });
  }

  /** Everything, to be said to a new connection. */
  *all(): Generator<Envelope<unknown>> {
    for (const topic of this.#topics) yield createEnvelope("SUBSCRIBE", {}, { topic });
    for (const payload of this.#channels.values()) yield createEnvelope("CHANNEL_JOIN", payload);
    if (this.#shadowed !== undefined) yield createEnvelope("SHADOW_BIND", this.#shadowed);
  }
}
