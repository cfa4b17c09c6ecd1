import { abortReason, TimeoutError } from "@daemon-sdk/protocol";
import { type Envelope, isEnvelopeOf } from "@daemon-sdk/protocol/relay";
import type { ReplyOptions } from "./sending/index.js";

/** A peer has connected, or has joined or left a channel of this agent. The daemon does not report lost connections. */
export type RelayPresence =
  | { readonly type: "agent_ready"; readonly name: string; readonly cli?: string; readonly task?: string }
  | { readonly type: "channel_joined" | "channel_left"; readonly name: string; readonly channel: string };

/** Reports presence from the envelopes received, and resolves waits for a name. */
export class Presence {
  /** Called with each event. */
  onPresence: ((event: RelayPresence) => void) | undefined;
  readonly #waiting = new Map<string, Set<() => void>>();

  /** False when the envelope is not about presence. */
  receive(envelope: Envelope): boolean {
    const event = presenceOf(envelope);
    if (event === undefined) return false;
    if (event.type === "agent_ready") for (const arrived of this.#waiting.get(event.name) ?? []) arrived();
    this.onPresence?.(event);
    return true;
  }

  /** Resolves once `name` is connected: by `isThere`, which is called once, or by its AGENT_READY. */
  waitFor(name: string, isThere: () => Promise<boolean>, options: ReplyOptions & { timeoutMs: number }): Promise<void> {
    const { signal, timeoutMs } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortReason(signal));
      const names = this.#waiting.get(name) ?? new Set();
      this.#waiting.set(name, names);
      const finish = (): void => {
        names.delete(arrived);
        if (names.size === 0) this.#waiting.delete(name);
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
      };
      const arrived = (): void => {
        finish();
        resolve();
      };
      const fail = (error: unknown): void => {
        finish();
        reject(error);
      };
      const onAbort = (): void => signal && fail(abortReason(signal));
      const timer = setTimeout(() => fail(new TimeoutError(`The wait for agent ${name}`, timeoutMs)), timeoutMs);
      signal?.addEventListener("abort", onAbort, { once: true });
      names.add(arrived);
      isThere().then((there) => {
        if (there) arrived();
      }, fail);
    });
  }
}

function presenceOf(envelope: Envelope): RelayPresence | undefined {
  if (isEnvelopeOf(envelope, "AGENT_READY")) {
    const { name, cli, task } = envelope.payload;
    return {
      type: "agent_ready",
      name,
      ...(cli === undefined ? {} : { cli }),
      ...(task === undefined ? {} : { task }),
    };
  }
  const { from } = envelope;
  if (from === undefined) return undefined;
  if (isEnvelopeOf(envelope, "CHANNEL_JOIN")) {
    return { type: "channel_joined", name: from, channel: envelope.payload.channel };
  }
  if (isEnvelopeOf(envelope, "CHANNEL_LEAVE")) {
    return { type: "channel_left", name: from, channel: envelope.payload.channel };
  }
  return undefined;
}
