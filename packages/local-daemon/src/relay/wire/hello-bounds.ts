import { LIMITS } from "@daemon-sdk/protocol";
import type { HelloPayload } from "@daemon-sdk/protocol/relay";
import { MESSAGING_LIMITS } from "../../limits/index.js";

/**
 * A HELLO with texts of a bounded length: they are stored with the name for as long as it is known, and sent to others in
 * AGENT_READY. A text that is longer is cut.
 */
export function boundedHello(hello: HelloPayload): HelloPayload {
  const bounded: HelloPayload = { ...hello };
  for (const [field, units] of Object.entries(MESSAGING_LIMITS.helloUnits)) {
    const key = field as keyof typeof MESSAGING_LIMITS.helloUnits;
    const text = bounded[key];
    if (text !== undefined && text.length > units) bounded[key] = `${wholeCharacters(text, units - 1)}…`;
  }
  return bounded;
}

/** Why the credential of a HELLO is refused, or undefined when it is not. */
export function credentialFault({ process_credential: credential }: HelloPayload): string | undefined {
  const [least, most] = LIMITS.relayCredentialUnits;
  if (credential === undefined || (credential.length >= least && credential.length <= most)) return undefined;
  return `payload.process_credential must have ${least} to ${most} characters, but has ${credential.length}.`;
}

function wholeCharacters(text: string, units: number): string {
  const last = text.charCodeAt(units - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? units - 1 : units);
}
