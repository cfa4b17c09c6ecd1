import type { ShadowBindPayload } from "@daemon-sdk/protocol/relay";

/** What a shadow receives of its primary (docs/wire/relay.md#shadows). */
export interface ShadowBinding {
  readonly shadow: string;
  readonly primary: string;
  /** The triggers of the binding. The daemon stores them and acts on none. */
  readonly speakOn: readonly string[];
  /** Copies of what the primary receives. */
  readonly incoming: boolean;
  /** Copies of what the primary sends. */
  readonly outgoing: boolean;
}

/** A copy of one message for one shadow. `direction`: whether the primary sent or received the message. */
export interface ShadowCopy {
  readonly shadow: string;
  readonly primary: string;
  readonly direction: "incoming" | "outgoing";
}

/** The fields of a SEND that decide about copies: the sender's name and the address. */
export interface ObservedSend {
  readonly from: string;
  readonly to: string;
}

/**
 * The bindings of shadows to primaries (docs/wire/relay.md#shadows). Pure: no connections, no mailboxes.
 *
 * A shadow has one primary, a primary any number of shadows. Names match exactly.
 */
export class ShadowTable {
  readonly #byShadow = new Map<string, ShadowBinding>();
  readonly #byPrimary = new Map<string, Map<string, ShadowBinding>>();

  /** Binds a shadow, in place of its former binding. Defaults: speaks on `EXPLICIT_ASK`, receives both directions. */
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

  /** Ends the binding of a shadow that has left. A primary that leaves keeps its shadows. */
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
   * The copies of one SEND: for shadows of the sender, and, unless it goes to everybody, of the addressee.
   *
   * A shadow gets no copy of its own messages, nor of messages to itself.
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
