/**
 * Who is in which channel (docs/wire/relay.md#channels). Pure: no connections, no storage.
 *
 * Channel names are compared as they are, so `#dev` and `dev` are two channels. Names of members are compared without
 * regard to case when somebody joins, leaves or posts; two agents whose names differ in case only may both be members.
 */
export class ChannelTable {
  /** Channel → name in lower case → the names as their owners write them. An empty channel has no entry. */
  readonly #channels = new Map<string, Map<string, Set<string>>>();

  /** Adds a member. False when the name, in any case, was one already, so that nobody need be told. */
  join(channel: string, name: string): boolean {
    const members = this.#channels.get(channel) ?? new Map<string, Set<string>>();
    this.#channels.set(channel, members);
    const spellings = members.get(name.toLowerCase());
    if (spellings !== undefined) {
      spellings.add(name);
      return false;
    }
    members.set(name.toLowerCase(), new Set([name]));
    return true;
  }

  /** Removes a member: that spelling when it is there, else whatever spelling is. False when there was none. */
  leave(channel: string, name: string): boolean {
    const members = this.#channels.get(channel);
    const spellings = members?.get(name.toLowerCase());
    if (members === undefined || spellings === undefined) return false;
    if (!spellings.delete(name)) spellings.clear();
    if (spellings.size > 0) return true;
    members.delete(name.toLowerCase());
    if (members.size === 0) this.#channels.delete(channel);
    return true;
  }

  /** Takes a name out of every channel it is in under that very spelling; those channels are the result. */
  leaveAll(name: string): string[] {
    return [...this.#channels.keys()].filter((channel) => {
      const spellings = this.#channels.get(channel)?.get(name.toLowerCase());
      return spellings?.has(name) === true && this.leave(channel, name);
    });
  }

  /** Whether the name, in any case, is a member. */
  has(channel: string, name: string): boolean {
    return this.#channels.get(channel)?.has(name.toLowerCase()) === true;
  }

  /** The ways in which a member's name is written in a channel. */
  spellings(channel: string, name: string): string[] {
    return [...(this.#channels.get(channel)?.get(name.toLowerCase()) ?? [])];
  }

  /** Every member's name as it was written, in the order of joining. */
  members(channel: string): string[] {
    return [...(this.#channels.get(channel)?.values() ?? [])].flatMap((spellings) => [...spellings]);
  }

  /** The names of all channels that have members. */
  get channels(): string[] {
    return [...this.#channels.keys()];
  }
}
