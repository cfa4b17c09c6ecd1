import {
  createEnvelope,
  type Envelope,
  type ErrorCode,
  encodeFrame,
  FrameParser,
  type ReceiptState,
} from "@daemon-sdk/protocol/relay";
import type { MemoryByteLink } from "./memory-byte-link.js";
import type { MemoryMailbox } from "./memory-mailbox.js";

/** The relay's side of one connection to a `MemoryRelay`. */
export class MemoryRelayPeer {
  /** Set as soon as the link is made. */
  link: MemoryByteLink | undefined;
  /** The mailbox of the connection, from HELLO on. */
  mailbox: MemoryMailbox | undefined;
  readonly parser: FrameParser;
  #wantsReceipts = false;

  constructor(onEnvelope: (envelope: Envelope) => void) {
    this.parser = new FrameParser({
      onFrame: onEnvelope,
      onError: (error) => {
        this.refuse("BAD_REQUEST", error.message, true);
        this.link?.end();
      },
    });
  }

  get name(): string | undefined {
    return this.mailbox?.name;
  }

  join(mailbox: MemoryMailbox, wantsReceipts: boolean): void {
    this.mailbox = mailbox;
    this.#wantsReceipts = wantsReceipts;
  }

  write(envelope: Envelope<unknown>): void {
    this.link?.push(encodeFrame(envelope));
  }

  refuse(code: ErrorCode, message: string, fatal: boolean, refId?: string): void {
    this.write(
      createEnvelope("ERROR", {
        code,
        message,
        fatal,
        ...(refId === undefined ? {} : { ref_id: refId, replyTo: refId }),
      }),
    );
  }

  receipt(refId: string, state: ReceiptState, to: string): void {
    if (this.#wantsReceipts) this.write(createEnvelope("RECEIPT", { ref_id: refId, state, to }));
  }
}
