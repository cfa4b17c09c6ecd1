/**
 * The members of channels (docs/wire/relay.md#channels). Pure: no connections, no storage.
 *
 * Channel names match exactly: `#dev` and `dev` are two channels. Names of members match in upper and lower case when one
 * joins, leaves or posts. Two agents whose names differ in case only may both be members.
 */
export class ChannelTable {
  /** Channel → name in lower case → the names as they were added. An empty channel has no entry. */
  readonly #channels = new Map<string, Map<string, Set<string>>>();

  /** Adds a member. False when the name was a member already, in upper or lower case. */
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

  /** Removes a member: that spelling, else every other spelling. False when the name was no member. */
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

  /** Removes that spelling of a name from every channel, and returns those channels. */
  leaveAll(name: string): string[] {
    return [...this.#channels.keys()].filter((channel) => {
      const spellings = this.#channels.get(channel)?.get(name.toLowerCase());
      return spellings?.has(name) === true && this.leave(channel, name);
    });
  }

  /** Whether the name is a member, in upper or lower case. */
  has(channel: string, name: string): boolean {
    return this.#channels.get(channel)?.has(name.toLowerCase()) === true;
  }

  /** The spellings of a member's name in a channel. */
  spellings(channel: string, name: string): string[] {
    return [...(this.#channels.get(channel)?.get(name.toLowerCase()) ?? [])];
  }

  /** Every member's name as it was added, in the order of joining. */
  members(channel: string): string[] {
    return [...(this.#channels.get(channel)?.values() ?? [])].flatMap((spellings) => [...spellings]);
  }

  /** The names of all channels that have members. */
  get channels(): string[] {
    return [...this.#channels.keys()];
  }
}
