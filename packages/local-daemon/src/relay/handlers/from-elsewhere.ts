import { type Envelope, isEnvelopeOf } from "@daemon-sdk/protocol/relay";
import type { BlockingSends } from "./blocking-sends.js";
import type { RelayParts } from "./relay-parts.js";

/** Handles an envelope that another machine of the fleet has posted. One that has no meaning here is ignored. */
export function fromElsewhere(
  envelope: Envelope<unknown>,
  { channels, blocking, logger }: Pick<RelayParts, "channels" | "logger"> & { readonly blocking: BlockingSends },
): void {
  const { from } = envelope;
  if (typeof from !== "string") return;
  if (isEnvelopeOf(envelope, "ACK")) {
    const refuse = (code: string, message: string) => logger.warn({ code, agent: from }, message);
    blocking.answer({ name: from, refuse }, envelope.payload);
  } else if (
    isEnvelopeOf(envelope, "CHANNEL_MESSAGE") ||
    isEnvelopeOf(envelope, "CHANNEL_JOIN") ||
    isEnvelopeOf(envelope, "CHANNEL_LEAVE")
  ) {
    channels.fromElsewhere(from, envelope);
  }
}
