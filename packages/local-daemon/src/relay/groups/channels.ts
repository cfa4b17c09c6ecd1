import { newId } from "@daemon-sdk/protocol";
import {
  type ChannelJoinPayload,
  type ChannelLeavePayload,
  type ChannelMessagePayload,
  createEnvelope,
  type Envelope,
  isEnvelopeOf,
  type SendPayload,
} from "@daemon-sdk/protocol/relay";
import type { Committer } from "../../journal/index.js";
import type { RelayLimits } from "../../limits/index.js";
import { MESSAGING_LIMITS } from "../../limits/index.js";
import type { Store } from "../../storage/index.js";
import type { Mailboxes } from "../mailboxes/index.js";
import type { Directory, RelayPeer } from "../names/index.js";
import { ChannelTable } from "./channel-table.js";

/** The channel of which every connected name is a member, without CHANNEL_JOIN (docs/wire/relay.md#channels). */
export const GENERAL_CHANNEL = "#general";

/** Where memberships are stored; the fact's name is `[channel, member]` as JSON. */
const FACTS = "channel-members";

/** Options of {@link Channels}. */
export interface ChannelsOptions {
  readonly directory: Pick<Directory, "find">;
  readonly mailboxes: Pick<Mailboxes, "record">;
  readonly limits: Pick<RelayLimits, "relayFrameBytes">;
  readonly store: Pick<Store, "relayFacts">;
  readonly committer: Committer;
  /** The relays of other machines. */
  readonly exchange: { broadcast(envelope: Envelope<object>): void };
  /** Subscribers of presence. */
  readonly feed: { coversAll(peer: RelayPeer): boolean };
  readonly now: () => number;
}

/**
 * The members of channels, and the messages to them (docs/wire/relay.md#channels).
 *
 * A name is a member until CHANNEL_LEAVE or REMOVE_AGENT, also over restarts of the daemon. Messages reach connected members
 * only: they are neither queued nor acknowledged. They are stored for queries.
 */
export class Channels {
  readonly #options: ChannelsOptions;
  readonly #table = new ChannelTable();
  /** Lower case → names of connected peers: a member may have been added in another case than that of its own HELLO. */
  readonly #spellings = new Map<string, Set<string>>();
  /** Member → number of channels, `#general` not counted. */
  readonly #counts = new Map<string, number>();
  /** All of them together. */
  #members = 0;

  constructor(options: ChannelsOptions) {
    this.#options = options;
  }

  /** Reads what an earlier daemon stored. Rejects when the store fails. */
  async load(): Promise<void> {
    for (const [fact] of await this.#options.store.relayFacts(FACTS)) {
      const [channel, member] = JSON.parse(fact) as [string, string];
      if (this.#table.join(channel, member)) this.#count(channel, member, 1);
    }
  }

  /** A peer of that name has become active. */
  arrived(name: string): void {
    const spellings = this.#spellings.get(name.toLowerCase()) ?? new Set<string>();
    this.#spellings.set(name.toLowerCase(), spellings.add(name));
    this.#table.join(GENERAL_CHANNEL, name);
  }

  /** The last connection of a name has ended. Its memberships stay, but for `#general`, which {@link arrived} renews. */
  gone(name: string): void {
    this.#table.leave(GENERAL_CHANNEL, name);
    const spellings = this.#spellings.get(name.toLowerCase());
    spellings?.delete(name);
    if (spellings?.size === 0) this.#spellings.delete(name.toLowerCase());
  }

  /** CHANNEL_JOIN: adds the sender and notifies the members. With `member` it adds that name and notifies nobody. */
  join(peer: RelayPeer, { id, payload }: Envelope<ChannelJoinPayload>): void {
    const { channel, member = peer.name } = payload;
    const fault = nameFault("channel", channel) ?? nameFault("member", member) ?? this.#crowdFault(channel, member);
    if (fault !== undefined) {
      peer.refuse("BAD_REQUEST", fault, { refId: id });
      return;
    }
    const notice = createEnvelope("CHANNEL_JOIN", payload, { from: peer.name, ts: this.#options.now() });
    if (!this.#fits(peer, id, JSON.stringify(notice))) return;
    const isNew = this.#table.join(channel, member);
    this.#remember(channel, member, "");
    if (!isNew) return;
    this.#count(channel, member, 1);
    if (payload.member !== undefined) return;
    this.#notify(this.#peersIn(channel, member), notice);
    this.#options.exchange.broadcast(notice);
  }

  /** CHANNEL_LEAVE: the reverse of {@link join}. Does nothing for a name that is no member. */
  leave(peer: RelayPeer, { id, payload }: Envelope<ChannelLeavePayload>): void {
    const { channel, member = peer.name } = payload;
    const notice = createEnvelope("CHANNEL_LEAVE", payload, { from: peer.name, ts: this.#options.now() });
    if (!this.#fits(peer, id, JSON.stringify(notice))) return;
    const spellings = this.#table.spellings(channel, member);
    if (!this.#table.leave(channel, member)) return;
    for (const spelling of spellings) {
      if (!this.#table.spellings(channel, member).includes(spelling)) this.#remember(channel, spelling, undefined);
    }
    if (!this.#table.has(channel, member)) this.#count(channel, member, -1);
    if (payload.member !== undefined) return;
    this.#notify(this.#peersIn(channel, member), notice);
    this.#options.exchange.broadcast(notice);
  }

  /** CHANNEL_MESSAGE: to every other connected member. A sender that is no member is refused. */
  post(peer: RelayPeer, { id, payload }: Envelope<ChannelMessagePayload>): void {
    const { channel } = payload;
    if (!this.#table.has(channel, peer.name)) {
      const text = `You are no member of ${JSON.stringify(channel)}, so message ${id} was not sent. Send CHANNEL_JOIN first.`;
      peer.refuse("BAD_REQUEST", text, { refId: id });
      return;
    }
    const ts = this.#options.now();
    const envelope = createEnvelope("CHANNEL_MESSAGE", payload, { from: peer.name, ts });
    const text = JSON.stringify(envelope);
    if (!this.#fits(peer, id, text)) return;
    this.#deliver(peer.name, payload, text);
    this.#options.exchange.broadcast(envelope);
  }

  /** A message in a channel, a join or a leave on another machine: reaches the members here. */
  fromElsewhere(
    from: string,
    envelope: Envelope<ChannelMessagePayload | ChannelJoinPayload | ChannelLeavePayload>,
  ): void {
    const { channel } = envelope.payload;
    if (this.#table.members(channel).length === 0) return;
    const text = JSON.stringify(envelope);
    if (Buffer.byteLength(text) > this.#options.limits.relayFrameBytes) return;
    if (isEnvelopeOf(envelope, "CHANNEL_MESSAGE")) this.#deliver(from, envelope.payload, text);
    else this.#notify(this.#peersIn(channel, from), envelope);
  }

  #deliver(from: string, payload: ChannelMessagePayload, text: string): void {
    const { channel } = payload;
    for (const member of this.#peersIn(channel, from)) member.sendText(text);
    this.#options.mailboxes.record([{ from, to: channel, payload: recordOf(payload), refId: newId() }]);
  }

  /** Whether the name is a member, in upper or lower case. */
  isMember(channel: string, name: string): boolean {
    return this.#table.has(channel, name);
  }

  /** REMOVE_AGENT: removes the name from every channel and notifies nobody. */
  forget(name: string): void {
    for (const channel of this.#table.leaveAll(name)) {
      this.#remember(channel, name, undefined);
      if (!this.#table.has(channel, name)) this.#count(channel, name, -1);
    }
  }

  /** Connections of the members without `except`: of the name as it was added, else of names that differ in case. */
  #peersIn(channel: string, except: string): RelayPeer[] {
    const names = new Set<string>();
    for (const member of this.#table.members(channel)) {
      const spellings = this.#spellings.get(member.toLowerCase());
      if (spellings === undefined) continue;
      if (spellings.has(member)) names.add(member);
      else for (const spelling of spellings) names.add(spelling);
    }
    names.delete(except);
    return [...names].flatMap((name) => this.#options.directory.find(name));
  }

  /**
   * Notifies members of a join or a leave: in a large channel only those that have subscribed to presence, for n that join one
   * by one would cost n² frames.
   */
  #notify(peers: readonly RelayPeer[], envelope: Envelope<object>): void {
    const { feed } = this.#options;
    const isLarge = peers.length > MESSAGING_LIMITS.presencePeers;
    for (const peer of peers) if (!isLarge || feed.coversAll(peer)) peer.send(envelope);
  }

  /** Whether others can get the text; otherwise its sender is refused. */
  #fits(peer: RelayPeer, id: string, text: string): boolean {
    const { relayFrameBytes } = this.#options.limits;
    if (text.length * 3 <= relayFrameBytes || Buffer.byteLength(text) <= relayFrameBytes) return true;
    const fault = `Message ${id} with your name in it does not fit into a frame of ${relayFrameBytes} bytes. Send less at a time.`;
    peer.refuse("BAD_REQUEST", fault, { refId: id });
    return false;
  }

  /** Stores a membership, or without a `body` its end. Not awaited: members may be notified before it is stored. */
  #remember(channel: string, member: string, body: "" | undefined): void {
    if (channel === GENERAL_CHANNEL) return;
    const name = JSON.stringify([channel, member]);
    // The committer logs a store that fails.
    this.#options.committer.commit([{ kind: "relayFact", scope: FACTS, name, body }]).catch(() => {});
  }

  #count(channel: string, member: string, by: 1 | -1): void {
    if (channel === GENERAL_CHANNEL) return;
    this.#members += by;
    const key = member.toLowerCase();
    const count = (this.#counts.get(key) ?? 0) + by;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
  }

  #crowdFault(channel: string, member: string): string | undefined {
    const { channelsPerName, channelMembers } = MESSAGING_LIMITS;
    if (channel === GENERAL_CHANNEL || this.#table.has(channel, member)) return undefined;
    if ((this.#counts.get(member.toLowerCase()) ?? 0) >= channelsPerName) {
      return `"${member}" is in ${channelsPerName} channels. Leave one before joining another.`;
    }
    if (this.#members < channelMembers) return undefined;
    return `The channels have ${channelMembers} members together, and may have no more (channelMembers). Leave one before joining another.`;
  }
}

function nameFault(what: string, name: string): string | undefined {
  if (name.length > 0 && name.length <= MESSAGING_LIMITS.channelNameUnits) return undefined;
  return `payload.${what} must have 1 to ${MESSAGING_LIMITS.channelNameUnits} characters, but has ${name.length}.`;
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
