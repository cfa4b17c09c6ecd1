/** A message above a size, taken in parts while it arrives. The parts may be kept. */
export interface LargeMessage {
  /** Takes the next bytes of the message, in UTF-8. */
  push(part: Uint8Array): void;
  /** The message is complete. */
  end(): void;
}
