/** One server-sent event, or an id alone. */
export interface SentEvent {
  /** The last id that was received when this was dispatched. */
  readonly id: string;
  readonly event: string;
  readonly data: unknown;
}

/** Parses server-sent events as the HTML standard says, from pieces of any size; keeps the last id across pieces. */
export class EventParser {
  /** What a client would send as `Last-Event-ID`. */
  lastId = "";
  /** Comments that were received. */
  comments = 0;
  readonly #decoder = new TextDecoder();
  #rest = "";
  #id: string | undefined;
  #event = "";
  #data: string[] = [];

  /** The events that a piece completes. */
  push(piece: Uint8Array): SentEvent[] {
    this.#rest += this.#decoder.decode(piece, { stream: true });
    const lines = this.#rest.split("\n");
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#line(line));
  }

  #line(line: string): SentEvent[] {
    if (line === "") return this.#dispatch();
    const [, field = "", value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (field === "") this.comments++;
    if (field === "id") this.#id = value;
    if (field === "event") this.#event = value;
    if (field === "data") this.#data.push(value);
    return [];
  }

  #dispatch(): SentEvent[] {
    if (this.#id !== undefined) this.lastId = this.#id;
    const [event, data] = [this.#event, this.#data];
    this.#event = "";
    this.#data = [];
    if (data.length === 0) return [];
    return [{ id: this.lastId, event, data: JSON.parse(data.join("\n")) }];
  }
}

/** Reads events of a response until one fits, and ends the response. */
export async function readUntil(
  response: Response,
  fits: (event: SentEvent) => boolean,
  parser = new EventParser(),
): Promise<SentEvent[]> {
  const events: SentEvent[] = [];
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return events;
      for (const event of parser.push(value)) {
        events.push(event);
        if (fits(event)) return events;
      }
    }
  } finally {
    await reader.cancel();
  }
}
