import type {
  MailboxRow,
  MailboxSegmentRow,
  MailboxState,
  RelayStore,
  RelayWrite,
  SegmentQuery,
  StoredSegment,
} from "./relay-rows.js";

/** The relay's part of a store that keeps everything in memory. Rows are copied on their way in; they are read only. */
export class MemoryRelay implements RelayStore {
  readonly #mailboxes = new Map<string, MailboxRow>();
  readonly #streams = new Map<string, Map<string, number>>();
  readonly #facts = new Map<string, Map<string, string>>();
  #segments: StoredSegment[] = [];
  #no = 0;

  /** Applies one change. */
  apply(write: RelayWrite): void {
    switch (write.kind) {
      case "mailbox":
        this.#mailboxes.set(write.row.address, structuredClone(write.row));
        break;
      case "mailboxState":
        this.#moved(write.state);
        break;
      case "mailboxSegment":
        this.#segments.push({ ...structuredClone<MailboxSegmentRow>(write.row), no: ++this.#no });
        break;
      case "mailboxStream":
        placeOf(this.#streams, write.address).set(write.stream, write.seq);
        break;
      case "pruneMailbox":
        this.#keep((row) => row.address !== write.address || endOf(row) >= write.beforePosition);
        break;
      case "pruneHistory": {
        const lowWater = (address: string) => this.#mailboxes.get(address)?.lowWater ?? 0;
        this.#keep((row) => row.no > write.throughNo || endOf(row) > lowWater(row.address));
        break;
      }
      case "dropMailbox":
        this.#mailboxes.delete(write.address);
        this.#streams.delete(write.address);
        this.#keep((row) => row.address !== write.address);
        break;
      case "relayFact":
        if (write.body === undefined) this.#facts.get(write.scope)?.delete(write.name);
        else placeOf(this.#facts, write.scope).set(write.name, write.body);
        break;
    }
  }

  async mailboxes(): Promise<readonly (MailboxRow & { streams: readonly (readonly [string, number])[] })[]> {
    const rows = [...this.#mailboxes.values()].sort((a, b) => byText(a.address, b.address));
    return rows.map((row) => ({
      ...row,
      streams: [...(this.#streams.get(row.address) ?? [])].sort(([a], [b]) => byText(a, b)),
    }));
  }

  async readMailbox(address: string, fromPosition: number, maxBytes: number): Promise<readonly StoredSegment[]> {
    const segments: StoredSegment[] = [];
    let bytes = 0;
    for (const row of this.#segments) {
      if (row.address !== address || endOf(row) < fromPosition) continue;
      segments.push(row);
      bytes += row.entries.join("\n").length;
      if (bytes >= maxBytes) break;
    }
    return segments;
  }

  async mailboxSegments({ address, order, beyond, limit }: SegmentQuery): Promise<readonly StoredSegment[]> {
    const rows = order === "desc" ? [...this.#segments].reverse() : this.#segments;
    const isBeyond = (no: number) => beyond === undefined || (order === "desc" ? no < beyond : no > beyond);
    return rows.filter((row) => isBeyond(row.no) && (address === undefined || row.address === address)).slice(0, limit);
  }

  async relayFacts(scope: string): Promise<readonly (readonly [string, string])[]> {
    return [...(this.#facts.get(scope) ?? [])].sort(([a], [b]) => byText(a, b));
  }

  #moved(state: MailboxState): void {
    const row = this.#mailboxes.get(state.address);
    if (row !== undefined) this.#mailboxes.set(state.address, { ...row, ...structuredClone(state) });
  }

  #keep(isKept: (row: StoredSegment) => boolean): void {
    this.#segments = this.#segments.filter(isKept);
  }
}

function endOf(row: MailboxSegmentRow): number {
  return row.firstPosition + row.entries.length - 1;
}

function placeOf<Value>(places: Map<string, Map<string, Value>>, name: string): Map<string, Value> {
  const known = places.get(name);
  if (known !== undefined) return known;
  const made = new Map<string, Value>();
  places.set(name, made);
  return made;
}

/** The order SQLite gives: by the bytes of the JSON text. */
function byText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(JSON.stringify(a)), Buffer.from(JSON.stringify(b)));
}
