import { type DaemonCapabilities, ProtocolError } from "@daemon-sdk/protocol";

/** Throws METHOD_NOT_FOUND, the code with which the daemon would answer, unless the daemon offers that capability. */
export function requireOffer(capabilities: DaemonCapabilities, name: keyof DaemonCapabilities): void {
  if (capabilities[name] === true) return;
  throw new ProtocolError(
    "METHOD_NOT_FOUND",
    `This daemon does not offer \`${name}\`; see connection.capabilities. Nothing was sent.`,
  );
}
