const CHANNEL_PREFIX = "@channel:";
const MACHINE_PREFIX = "@machine:";

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

/** The address of the outbox for a machine of the fleet: mail for names that are there. No agent can be named like it. */
export function machineAddress(machineId: string): string {
  return `${MACHINE_PREFIX}${machineId}`;
}

/** The machine whose outbox has that address; undefined for every other address. */
export function machineOf(address: string): string | undefined {
  return address.startsWith(MACHINE_PREFIX) ? address.slice(MACHINE_PREFIX.length) : undefined;
}
