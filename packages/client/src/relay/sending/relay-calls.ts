import { ConnectionError, ProtocolError } from "@daemon-sdk/protocol";
import {
  createEnvelope,
  type Envelope,
  isEnvelopeOf,
  type MessageType,
  type RelayPayloads,
} from "@daemon-sdk/protocol/relay";
import { errorOf } from "../connection/index.js";
import type { Outbox } from "./outbox.js";
import type { PendingReplies, ReplyOptions, ReplyWait } from "./pending-replies.js";

/** Requests: sends an envelope and waits for the reply under its id. */
export class RelayCalls {
  readonly #outbox: Outbox;
  readonly #replies: PendingReplies;

  constructor(outbox: Outbox, replies: PendingReplies) {
    this.#outbox = outbox;
    this.#replies = replies;
  }

  /** Sends a query, and checks the type of the answer. */
  async ask<Question extends MessageType, Answer extends MessageType>(
    question: Question,
    payload: RelayPayloads[Question],
    answer: Answer,
    { signal, timeoutMs }: ReplyOptions & { timeoutMs: number },
  ): Promise<RelayPayloads[Answer]> {
    const isForWorker = answer.endsWith("_RESULT");
    const wait = {
      what: `The answer to ${question}`,
      timeoutMs,
      isForWorker,
      ...(signal === undefined ? {} : { signal }),
    };
    const reply = await this.exchange<Envelope>(createEnvelope(question, payload), wait);
    if (isEnvelopeOf(reply, answer)) return reply.payload;
    const message = `The daemon answered ${question} with a ${reply.type} that is not what a ${answer} holds.`;
    throw new ProtocolError("INVALID_RESULT", message);
  }

  /** Sends the envelope and waits for the reply that settles its id. A refusal of the envelope rejects the wait. */
  exchange<Reply>(envelope: Envelope<unknown>, wait: ReplyWait): Promise<Reply> {
    const reply = this.#replies.wait<Reply>(envelope.id, wait);
    this.#outbox.submit(envelope, wait.signal).then(
      ({ state, code = "BAD_REQUEST", reason = "it gave no reason" }) => {
        if (state === "refused")
          this.#replies.fail(envelope.id, errorOf({ code, message: reason, fatal: false, ref_id: envelope.id }));
      },
      (error: unknown) => {
        // A request that was written when the link was lost may still be answered.
        const mayCome = wait.survivesLoss === true && ConnectionError.is(error, "CONNECTION_LOST");
        if (!mayCome) this.#replies.fail(envelope.id, error);
      },
    );
    return reply;
  }
}
