import { LIMITS } from "@daemon-sdk/protocol";
import {
  type ChannelJoinPayload,
  type ChannelLeavePayload,
  type ChannelMessagePayload,
  createEnvelope,
  type Envelope,
  type SendPayload,
} from "@daemon-sdk/protocol/relay";
import type { RelayPeer } from "../names/index.js";
import type { RelayServices } from "../relay-services.js";
import { ChannelTable } from "./channel-table.js";

/** The channel that everybody is in from HELLO on, without being told (docs/wire/relay.md#channels). */
export const GENERAL_CHANNEL = "#general";

/** Where memberships are stored; the fact's name is `[channel, member]` as JSON. */
const FACTS = "channel-members";

/** What the channels need of the relay. */
export type ChannelServices = Pick<
  RelayServices,
  "directory" | "mailboxes" | "limits" | "now" | "store" | "committer" | "logger"
>;

/**
 * Channels: who is in them, and what is said there (docs/wire/relay.md#channels).
 *
 * A name stays a member until it leaves or is forgotten, also over restarts of the daemon. It misses what is said while it
 * is away, because channel messages are neither queued nor acknowledged; they are kept for queries.
 */
export class Channels {
  readonly #services: ChannelServices;
  readonly #table = new ChannelTable();
  /** Lower case → names of connected peers: a member may have been added in another case than it writes itself. */
  readonly #spellings = new Map<string, Set<string>>();
  /** Member → number of channels, `#general` not counted. */
  readonly #counts = new Map<string, number>();
  /** Facts that were dropped before the stored ones were read; undefined once they were. */
  #droppedEarly: Set<string> | undefined = new Set();

  constructor(services: ChannelServices) {
    this.#services = services;
    this.#restore().catch((error: unknown) => {
      services.logger.error({ error: String(error) }, "Who is in which channel could not be read.");
    });
    services.directory.onActive(({ name }) => this.#arrived(name));
    services.directory.onGone(({ name }) => this.#left(name));
  }

  /** CHANNEL_JOIN: the sender joins and the members hear of it; with `member` that name is added in silence. */
  join(peer: RelayPeer, { id, payload }: Envelope<ChannelJoinPayload>): void {
    const { channel, member = peer.name } = payload;
    const fault = nameFault("channel", channel) ?? nameFault("member", member) ?? this.#crowdFault(channel, member);
    if (fault !== undefined) {
      peer.refuse("BAD_REQUEST", fault, { refId: id });
      return;
    }
    const others = this.#peersIn(channel, member);
    const isNews = this.#table.join(channel, member);
    this.#remember(channel, member, "");
    if (!isNews) return;
    this.#count(channel, member, 1);
    if (payload.member !== undefined) return;
    this.#tell(others, createEnvelope("CHANNEL_JOIN", payload, { from: peer.name, ts: this.#services.now() }));
  }

  /** CHANNEL_LEAVE: the mirror image of {@link join}. Leaving a channel one is not in does nothing. */
  leave(peer: RelayPeer, { payload }: Envelope<ChannelLeavePayload>): void {
    const { channel, member = peer.name } = payload;
    const spellings = this.#table.spellings(channel, member);
    if (!this.#table.leave(channel, member)) return;
    for (const spelling of spellings) {
      if (!this.#table.spellings(channel, member).includes(spelling)) this.#remember(channel, spelling, undefined);
    }
    if (!this.#table.has(channel, member)) this.#count(channel, member, -1);
    if (payload.member !== undefined) return;
    const envelope = createEnvelope("CHANNEL_LEAVE", payload, { from: peer.name, ts: this.#services.now() });
    this.#tell(this.#peersIn(channel, member), envelope);
  }

  /** CHANNEL_MESSAGE: to every other member that is connected. Refused, by name, when the sender is no member. */
  post(peer: RelayPeer, { id, payload }: Envelope<ChannelMessagePayload>): void {
    const { channel } = payload;
    if (!this.#table.has(channel, peer.name)) {
      const text = `You are no member of ${JSON.stringify(channel)}, so message ${id} was not sent. Send CHANNEL_JOIN first.`;
      peer.refuse("BAD_REQUEST", text, { refId: id });
      return;
    }
    const ts = this.#services.now();
    const text = JSON.stringify(createEnvelope("CHANNEL_MESSAGE", payload, { from: peer.name, ts }));
    const { relayFrameBytes } = this.#services.limits;
    if (text.length * 3 > relayFrameBytes && Buffer.byteLength(text) > relayFrameBytes) {
      const fault = `Message ${id} with your name in it does not fit into a frame of ${relayFrameBytes} bytes. Send less at a time.`;
      peer.refuse("BAD_REQUEST", fault, { refId: id });
      return;
    }
    for (const member of this.#peersIn(channel, peer.name)) member.sendText(text);
    this.#services.mailboxes.record([{ from: peer.name, to: channel, payload: recordOf(payload), refId: id }]);
  }

  /** Takes a name that was forgotten out of every channel, in silence. */
  forget(name: string): void {
    for (const channel of this.#table.leaveAll(name)) {
      this.#remember(channel, name, undefined);
      if (!this.#table.has(channel, name)) this.#count(channel, name, -1);
    }
  }

  /** Every member's name as it was written, connected or not. */
  members(channel: string): string[] {
    return this.#table.members(channel);
  }

  #arrived(name: string): void {
    const spellings = this.#spellings.get(name.toLowerCase()) ?? new Set<string>();
    this.#spellings.set(name.toLowerCase(), spellings.add(name));
    this.#table.join(GENERAL_CHANNEL, name);
  }

  /** It comes back to `#general` by coming back. */
  #left(name: string): void {
    this.#table.leave(GENERAL_CHANNEL, name);
    const spellings = this.#spellings.get(name.toLowerCase());
    spellings?.delete(name);
    if (spellings?.size === 0) this.#spellings.delete(name.toLowerCase());
  }

  /** Connections of the members but `except`: under the name as it was written, else under one that differs in case. */
  #peersIn(channel: string, except: string): RelayPeer[] {
    const names = new Set<string>();
    for (const member of this.#table.members(channel)) {
      const spellings = this.#spellings.get(member.toLowerCase());
      if (spellings === undefined) continue;
      if (spellings.has(member)) names.add(member);
      else for (const spelling of spellings) names.add(spelling);
    }
    names.delete(except);
    return [...names].flatMap((name) => this.#services.directory.find(name));
  }

  async #restore(): Promise<void> {
    for (const [fact] of await this.#services.store.relayFacts(FACTS)) {
      const [channel, member] = JSON.parse(fact) as [string, string];
      if (this.#droppedEarly?.has(fact) === true) continue;
      if (this.#table.join(channel, member)) this.#count(channel, member, 1);
    }
    this.#droppedEarly = undefined;
  }

  /** Stores a membership, or without a `body` that it ended. Not awaited: who hears of a join need not have it stored. */
  #remember(channel: string, member: string, body: "" | undefined): void {
    if (channel === GENERAL_CHANNEL) return;
    const name = JSON.stringify([channel, member]);
    if (body === undefined) this.#droppedEarly?.add(name);
    // A store that fails is told in the log by whoever commits.
    this.#services.committer.commit([{ kind: "relayFact", scope: FACTS, name, body }]).catch(() => {});
  }

  #tell(peers: readonly RelayPeer[], envelope: Envelope<object>): void {
    for (const peer of peers) peer.send(envelope);
  }

  #count(channel: string, member: string, by: 1 | -1): void {
    if (channel === GENERAL_CHANNEL) return;
    const key = member.toLowerCase();
    const count = (this.#counts.get(key) ?? 0) + by;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
  }

  #crowdFault(channel: string, member: string): string | undefined {
    const isOver = (this.#counts.get(member.toLowerCase()) ?? 0) >= LIMITS.relayChannelsPerName;
    if (!isOver || channel === GENERAL_CHANNEL || this.#table.has(channel, member)) return undefined;
    return `"${member}" is in ${LIMITS.relayChannelsPerName} channels. Leave one before joining another.`;
  }
}

function nameFault(what: string, name: string): string | undefined {
  if (name.length > 0 && name.length <= LIMITS.relayChannelNameUnits) return undefined;
  return `payload.${what} must have 1 to ${LIMITS.relayChannelNameUnits} characters, but has ${name.length}.`;
}

/**
 * A channel message as queries show it: a message to the channel, with the marks of the original
 * (docs/wire/relay.md#channels).
 */
function recordOf({ channel, body, thread, mentions, data }: ChannelMessagePayload): SendPayload {
  const marks = {
    _isChannelMessage: true,
    _channel: channel,
    ...(mentions === undefined ? {} : { _mentions: mentions }),
  };
  return { kind: "message", body, ...(thread === undefined ? {} : { thread }), data: { ...data, ...marks } };
}
