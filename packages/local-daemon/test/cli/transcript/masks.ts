import { createHash } from "node:crypto";

const HEX = /\b[0-9a-f]{8}(?:(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{24})?\b/g;
const KEY = /(?<![\w-])[\w-]{43}(?![\w-])/g;
const PREFIX = 8;

/** Each run of a daemon has other ids, times and places. These stand for them, always the same. */
const FIXED: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?/g, "2026-01-01T12:00:00$1"],
  [/(T\d\d:\d\d:\d\d)\.\d{3}/g, "$1.000"],
  [/("(?:[a-z]+At|timestamp)":)\d{13}\b/g, "$11767268800000"],
  [/("[a-z]+At":)\d{10}(?:\.\d+)?\b/g, "$11767268800"],
  [/("durationMs":)\d+/g, "$112"],
  [/("epoch":)\d+/g, "$11767268800"],
  [/(pid "?:?|"pid":|pid +)\d+/g, "$14242"],
  [/127\.0\.0\.1:\d{4,5}/g, "127.0.0.1:49152"],
  [/("port":|^port +)\d+/gm, "$149152"],
  [/(version"?:? *"?)\d+\.\d+\.\d+/g, "$11.0.0"],
  [/Wrote \d+ lines/g, "Wrote 44 lines"],
  [/[\d,]+ MiB free/g, "120,000 MiB free"],
  [/\bv\d+\.\d+\.\d+(?=, )/g, "v20.19.0"],
];

/** Puts something that stays in the place of what differs between two runs. The same id becomes the same id. */
export class Masks {
  readonly #replaced: readonly (readonly [from: string, to: string])[];
  /** By the first characters of an id. */
  readonly #shown = new Map<string, string>();
  readonly #real = new Map<string, string>();

  /** @param replaced texts that are known before, such as the home directory */
  constructor(replaced: readonly (readonly [from: string, to: string])[]) {
    this.#replaced = replaced;
  }

  /** What a page shows of an output. */
  mask(text: string): string {
    let masked = text.replace(HEX, (id) => this.#mask(id)).replace(KEY, "3k9yQ0xv1mC7sWb5eZp2uT8aLr4dNf6hGjI0oKqBwXc");
    for (const [from, to] of this.#replaced) masked = masked.replaceAll(from, to);
    for (const [from, to] of FIXED) masked = masked.replace(from, to);
    return masked;
  }

  /** The command that is meant by one that a page shows. */
  unmask(text: string): string {
    return text.replace(HEX, (id) => {
      const real = this.#real.get(id.slice(0, PREFIX));
      return real === undefined ? id : real.slice(0, id.length);
    });
  }

  #mask(id: string): string {
    if (id.startsWith("0000")) return id;
    const begin = id.slice(0, PREFIX);
    const known = this.#shown.get(begin) ?? fakeId(this.#shown.size);
    this.#shown.set(begin, known);
    const real = this.#real.get(known.slice(0, PREFIX)) ?? "";
    if (id.length > real.length) this.#real.set(known.slice(0, PREFIX), id);
    return id.length === 32 ? known.replaceAll("-", "") : known.slice(0, id.length);
  }
}

function fakeId(number: number): string {
  const hex = createHash("sha256").update(`id ${number}`).digest("hex");
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return parts.join("-");
}
