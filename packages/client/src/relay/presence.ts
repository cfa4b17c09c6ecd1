import { abortReason, TimeoutError } from "@daemon-sdk/protocol";
import { type Envelope, isEnvelopeOf, type PresenceEvent } from "@daemon-sdk/protocol/relay";
import type { ReplyOptions } from "./sending/index.js";

/**
 * A peer has connected, has lost its last connection, or a spawned process has ended; or a peer has joined or left a channel of
 * this agent. A daemon of the original reports neither `agent_left` nor `agent_exited`.
 */
export type RelayPresence =
  | { readonly type: "agent_ready"; readonly name: string; readonly cli?: string; readonly task?: string }
  /** `bye`: it has ended its connection itself. */
  | { readonly type: "agent_left"; readonly name: string; readonly reason: "bye" | "lost" }
  | { readonly type: "agent_exited"; readonly name: string; readonly exitCode?: number; readonly signal?: string }
  | { readonly type: "channel_joined" | "channel_left"; readonly name: string; readonly channel: string };

/** Subscribes to the topics of presence. */
export interface PresenceTopics {
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
}

/** The presence of everybody. */
const TOPIC = "@presence";

/** Reports presence from the envelopes received, and resolves waits for a name. Subscribes to the topics needed for that. */
export class Presence {
  readonly #topics: PresenceTopics;
  readonly #waiting = new Map<string, Set<() => void>>();
  #onPresence: ((event: RelayPresence) => void) | undefined;

  constructor(topics: PresenceTopics) {
    this.#topics = topics;
  }

  /** Called with each event. */
  get onPresence(): ((event: RelayPresence) => void) | undefined {
    return this.#onPresence;
  }

  set onPresence(listener: ((event: RelayPresence) => void) | undefined) {
    const wasSubscribed = this.#onPresence !== undefined;
    this.#onPresence = listener;
    if (wasSubscribed === (listener !== undefined)) return;
    if (wasSubscribed) this.#topics.unsubscribe(TOPIC);
    else this.#topics.subscribe(TOPIC);
  }

  /** False when the envelope is not about presence. */
  receive(envelope: Envelope): boolean {
    const events = presenceOf(envelope);
    for (const event of events ?? []) {
      if (event.type === "agent_ready") for (const arrived of this.#waiting.get(event.name) ?? []) arrived();
      this.#onPresence?.(event);
    }
    return events !== undefined;
  }

  /** Resolves once `name` is connected: by `isThere`, which is called once, or by an event. */
  waitFor(name: string, isThere: () => Promise<boolean>, options: ReplyOptions & { timeoutMs: number }): Promise<void> {
    const { signal, timeoutMs } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortReason(signal));
      const names = this.#waitersOf(name);
      const finish = (): void => {
        names.delete(arrived);
        if (names.size === 0) this.#forget(name);
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

  #waitersOf(name: string): Set<() => void> {
    const known = this.#waiting.get(name);
    if (known !== undefined) return known;
    const made = new Set<() => void>();
    this.#waiting.set(name, made);
    this.#topics.subscribe(`${TOPIC}/${name}`);
    return made;
  }

  #forget(name: string): void {
    if (this.#waiting.delete(name)) this.#topics.unsubscribe(`${TOPIC}/${name}`);
  }
}

function presenceOf(envelope: Envelope): RelayPresence[] | undefined {
  if (isEnvelopeOf(envelope, "PRESENCE")) return envelope.payload.events.flatMap((event) => eventOf(event) ?? []);
  const event = singleEventOf(envelope);
  return event === undefined ? undefined : [event];
}

/** Undefined for an event that a later daemon may report. */
function eventOf({ type, name, cli, task, reason, exitCode, signal }: PresenceEvent): RelayPresence | undefined {
  if (type === "ready") return readyOf(name, cli, task);
  if (type === "left") return { type: "agent_left", name, reason: reason === "bye" ? "bye" : "lost" };
  if (type !== "exited") return undefined;
  return {
    ...{ type: "agent_exited", name },
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(signal === undefined ? {} : { signal }),
  };
}

function readyOf(name: string, cli: string | undefined, task: string | undefined): RelayPresence {
  return { type: "agent_ready", name, ...(cli === undefined ? {} : { cli }), ...(task === undefined ? {} : { task }) };
}

function singleEventOf(envelope: Envelope): RelayPresence | undefined {
  if (isEnvelopeOf(envelope, "AGENT_READY")) {
    const { name, cli, task } = envelope.payload;
    return readyOf(name, cli, task);
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
