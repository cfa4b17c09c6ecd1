import { bodyText, type JsonBody } from "@daemon-sdk/protocol/relay";

/** UTF-8 takes at most this many bytes for one UTF-16 unit. */
const UTF8_BYTES_PER_UNIT = 3;

/** The part of a list that fits into an answer. */
export interface FittingPage<Item> {
  readonly items: readonly Item[];
  /** True: more were found than fit. */
  readonly hasMore: boolean;
}

/** An item of which only a part is needed when the whole does not fit. */
export interface Shortenable {
  readonly body: JsonBody;
  readonly data?: unknown;
}

/**
 * The first items of a list whose JSON, as elements of one array, takes at most `maxBytes`.
 *
 * There is always a first item. When that alone is too large, its `data` is left out and its body, or the JSON of its body, is
 * cut to fit, so that paging through the list gets past it.
 */
export function fittingPage<Item extends Shortenable>(items: readonly Item[], maxBytes: number): FittingPage<Item> {
  let left = maxBytes - 1;
  for (const [index, item] of items.entries()) {
    left -= bytesOf(item) + 1;
    if (left >= 0) continue;
    const fitting = index === 0 ? [shortened(item, maxBytes)] : items.slice(0, index);
    return { items: fitting, hasMore: fitting.length < items.length };
  }
  return { items, hasMore: false };
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function shortened<Item extends Shortenable>(item: Item, maxBytes: number): Item {
  const { data: _, ...rest } = item;
  const room = Math.max(0, maxBytes - bytesOf({ ...rest, body: "" }) - UTF8_BYTES_PER_UNIT);
  const body = bodyText(item.body);
  let units = Math.min(body.length, room);
  // A character may take six bytes of JSON; most take one, so cutting in half a few times is enough.
  while (units > 0 && bytesOf(cut(body, units)) > room) units = Math.floor(units / 2);
  return { ...rest, body: cut(body, units) } as Item;
}

/** Never through the middle of a character. */
function cut(text: string, units: number): string {
  const code = text.charCodeAt(units - 1);
  const isHalf = units > 0 && units < text.length && code >= 0xd800 && code <= 0xdbff;
  return text.slice(0, isHalf ? units - 1 : units);
}
