import type { SendPayload, ShadowBindPayload } from "@daemon-sdk/protocol/relay";

/** What a shadow sees of its primary (docs/wire/relay.md#shadows). */
export interface ShadowBinding {
  readonly shadow: string;
  readonly primary: string;
  /** When it wants to speak up; kept for whoever triggers it. */
  readonly speakOn: readonly string[];
  /** Copies of what the primary receives. */
  readonly incoming: boolean;
  /** Copies of what the primary sends. */
  readonly outgoing: boolean;
}

/** A copy of one message for one shadow: who gets it, of whom, and in which direction the message went. */
export interface ShadowCopy {
  readonly shadow: string;
  readonly primary: string;
  readonly direction: "incoming" | "outgoing";
}

/** A SEND as far as shadows care: the sender's name and the address it was sent to. */
export interface ObservedSend {
  readonly from: string;
  readonly to: string;
}

/**
 * Who shadows whom (docs/wire/relay.md#shadows). Pure: no connections, no mailboxes.
 *
 * A shadow has one primary, a primary any number of shadows. Bindings go by exact names.
 */
export class ShadowTable {
  readonly #byShadow = new Map<string, ShadowBinding>();
  readonly #byPrimary = new Map<string, Map<string, ShadowBinding>>();

  /** Binds a shadow; a binding it had before is replaced. Defaults: speaks on `EXPLICIT_ASK`, sees both directions. */
  bind(shadow: string, payload: ShadowBindPayload): ShadowBinding {
    this.drop(shadow);
    const { primaryAgent: primary, speakOn = ["EXPLICIT_ASK"] } = payload;
    const { receiveIncoming: incoming = true, receiveOutgoing: outgoing = true } = payload;
    const binding: ShadowBinding = { shadow, primary, speakOn, incoming, outgoing };
    this.#byShadow.set(shadow, binding);
    const siblings = this.#byPrimary.get(primary) ?? new Map<string, ShadowBinding>();
    this.#byPrimary.set(primary, siblings.set(shadow, binding));
    return binding;
  }

  /**
   * Ends a binding; false, and nothing happens, unless `primary` is the present one
   * (docs/wire/relay.md#channels-and-shadows).
   */
  unbind(shadow: string, primary: string): boolean {
    return this.#byShadow.get(shadow)?.primary === primary && this.drop(shadow);
  }

  /** Ends whatever binding the shadow has, because it has gone. A primary that goes keeps its shadows. */
  drop(shadow: string): boolean {
    const binding = this.#byShadow.get(shadow);
    if (binding === undefined) return false;
    this.#byShadow.delete(shadow);
    const siblings = this.#byPrimary.get(binding.primary);
    siblings?.delete(shadow);
    if (siblings?.size === 0) this.#byPrimary.delete(binding.primary);
    return true;
  }

  /** The shadows of one agent. */
  of(primary: string): ShadowBinding[] {
    return [...(this.#byPrimary.get(primary)?.values() ?? [])];
  }

  /**
   * The copies that one SEND leads to: for shadows of the sender, and, unless it goes to everybody, of the addressee.
   *
   * Nobody gets a copy of a message that is from or to itself; it knows that one.
   */
  copiesOf({ from, to }: ObservedSend): ShadowCopy[] {
    if (this.#byShadow.size === 0) return [];
    const outgoing = this.of(from).filter((binding) => binding.outgoing);
    const incoming = to === "*" || to === from ? [] : this.of(to).filter((binding) => binding.incoming);
    return [
      ...outgoing.map(({ shadow, primary }) => ({ shadow, primary, direction: "outgoing" as const })),
      ...incoming.map(({ shadow, primary }) => ({ shadow, primary, direction: "incoming" as const })),
    ].filter(({ shadow }) => shadow !== from && shadow !== to);
  }
}

/**
 * The payload of a shadow's copy: the message's own, with the marks that tell it from a message
 * (docs/wire/relay.md#shadows).
 */
export function shadowPayload(payload: SendPayload, { primary, direction }: ShadowCopy): SendPayload {
  return {
    ...payload,
    data: { ...payload.data, _shadowCopy: true, _shadowOf: primary, _shadowDirection: direction },
  };
}
