const CHANNEL_PREFIX = "@channel:";

/**
 * The address under which a channel's messages are kept for queries. A channel may be named like an agent, and no agent may begin
 * its name with `#` or `@`: recording in a channel must not touch an agent's mailbox.
 */
export function channelAddress(channel: string): string {
  return channel.startsWith("#") ? channel : `${CHANNEL_PREFIX}${channel}`;
}

/** The channel whose messages are kept under that address; undefined for the address of a name. */
export function channelOf(address: string): string | undefined {
  if (address.startsWith("#")) return address;
  return address.startsWith(CHANNEL_PREFIX) ? address.slice(CHANNEL_PREFIX.length) : undefined;
}

/** The address of a name's mailbox. An agent's is its name; a user's is one that no agent can be named like. */
export function addressFor(name: string, entityType: "agent" | "user"): string {
  return entityType === "user" ? `@user:${name}` : name;
}
