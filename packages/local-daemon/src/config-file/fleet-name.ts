/** What names a machine or a tenant of a fleet: one token of a subject of NATS. `@daemon-sdk/fleet` refuses every other name. */
export const FLEET_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** {@link FLEET_NAME} in a message. */
export const FLEET_NAME_TEXT = "a name of 1 to 64 letters, digits, `_` and `-`";
