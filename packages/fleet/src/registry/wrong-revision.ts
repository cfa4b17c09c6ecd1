import { JetStreamApiCodes, JetStreamApiError } from "@nats-io/jetstream";

/** Whether a compare-and-set failed because another program wrote first. */
export function isWrongRevision(error: unknown): boolean {
  if (!(error instanceof JetStreamApiError)) return false;
  return (
    error.code === JetStreamApiCodes.StreamWrongLastSequence ||
    error.code === JetStreamApiCodes.StreamWrongLastSequenceUnknown
  );
}
