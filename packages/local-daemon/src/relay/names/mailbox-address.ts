/** The address of a name's mailbox. An agent's is its name; a user's is one that no agent can be named like. */
export function addressFor(name: string, entityType: "agent" | "user"): string {
  return entityType === "user" ? `@user:${name}` : name;
}
