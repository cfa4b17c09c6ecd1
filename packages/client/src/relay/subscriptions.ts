import {
  type ChannelJoinPayload,
  createEnvelope,
  type Envelope,
  type ShadowBindPayload,
} from "@daemon-sdk/protocol/relay";

/**
 * The topics, channels and the shadowed agent to which this client is subscribed. After a reconnect the daemon may no longer have
 * them, so they are sent again after each WELCOME. A repeated subscription has no effect.
 */
export class Subscriptions {
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

  /** A shadow has one primary: a new one replaces the former. */
  shadow(payload: ShadowBindPayload): Envelope<unknown> {
    this.#shadowed = payload;
    return createEnvelope("SHADOW_BIND", payload);
  }

  unshadow(primaryAgent: string): Envelope<unknown> {
    if (this.#shadowed?.primaryAgent === primaryAgent) this.#shadowed = undefined;
    return createEnvelope("SHADOW_UNBIND", { primaryAgent });
  }

  /** Every subscription, to be sent on a new connection. */
  *all(): Generator<Envelope<unknown>> {
    for (const topic of this.#topics) yield createEnvelope("SUBSCRIBE", {}, { topic });
    for (const payload of this.#channels.values()) yield createEnvelope("CHANNEL_JOIN", payload);
    if (this.#shadowed !== undefined) yield createEnvelope("SHADOW_BIND", this.#shadowed);
  }
}
