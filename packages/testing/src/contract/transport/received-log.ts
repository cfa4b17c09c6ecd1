import type { Transport, TransportClose } from "@daemon-sdk/protocol";
import { within } from "../expectation.js";

/** What one end of a link received. */
export type Received =
  | { readonly kind: "message"; readonly text: string }
  | { readonly kind: "end"; readonly end: TransportClose };

/** Records what one end of a link receives, in order. */
export class ReceivedLog {
  readonly entries: Received[] = [];
  readonly #name: string;
  readonly #patienceMs: number;
  #changed: () => void = () => {};

  /** Records the end at once, and messages from {@link listen} on. */
  constructor(transport: Transport, name: string, patienceMs: number) {
    this.#name = name;
    this.#patienceMs = patienceMs;
    transport.onClose = (end) => this.#note({ kind: "end", end });
  }

  /** Sets `onMessage`. */
  listen(transport: Transport): void {
    transport.onMessage = (text) => this.#note({ kind: "message", text });
  }

  get messages(): string[] {
    return this.entries.flatMap((one) => (one.kind === "message" ? [one.text] : []));
  }

  get ends(): TransportClose[] {
    return this.entries.flatMap((one) => (one.kind === "end" ? [one.end] : []));
  }

  /** The first end. */
  async end(): Promise<TransportClose> {
    for (;;) {
      const [end] = this.ends;
      if (end) return end;
      await this.#change("the end");
    }
  }

  /** Waits until `count` messages have arrived. */
  async messagesCame(count: number): Promise<void> {
    let got = this.messages.length;
    while (got < count) {
      await this.#change(`message ${got + 1} of ${count}`);
      got = this.messages.length;
    }
  }

  #change(what: string): Promise<void> {
    const changed = new Promise<void>((resolve) => {
      this.#changed = resolve;
    });
    return within(changed, `${what} on the ${this.#name} side`, this.#patienceMs);
  }

  #note(one: Received): void {
    this.entries.push(one);
    this.#changed();
  }
}
