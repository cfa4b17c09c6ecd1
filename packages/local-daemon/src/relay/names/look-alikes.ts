import { createRequire } from "node:module";

/** The letters of ASCII that others look like (Unicode Technical Standard 39). */
const ASCII = new Map([
  ["0", "O"],
  ["1", "l"],
  ["I", "l"],
  ["|", "l"],
  ["`", "'"],
  ["m", "rn"],
]);

const load = createRequire(import.meta.url);
let confusables: ReadonlyMap<string, string> = ASCII;
let isLoaded = false;

/**
 * The keys of a name's looks. Two names that share a key look alike: they differ only in case, in compatibility forms, or in
 * letters that Unicode lists as confusable.
 *
 * There are two keys, because confusable letters may have cases that differ: `Β` is a Greek `β`, and looks like `B`.
 */
export function lookKeys(name: string): readonly string[] {
  const text = name.normalize("NFKC");
  const byShape = skeleton(text).toLowerCase();
  const byCase = skeleton(text.toLowerCase()).toLowerCase();
  return byShape === byCase ? [byShape] : [byShape, byCase];
}

/** The text with each confusable letter in its usual form. */
function skeleton(text: string): string {
  // The table costs a start 8 ms, so it waits for the first name that needs it.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant
  const table = /^[\u0000-\u007f]*$/.test(text) ? ASCII : wholeTable();
  let shape = "";
  for (const letter of text) shape += table.get(letter) ?? letter;
  return shape.normalize("NFKC");
}

function wholeTable(): ReadonlyMap<string, string> {
  if (isLoaded) return confusables;
  isLoaded = true;
  confusables = new Map(Object.entries(load("unhomoglyph/data.json") as Record<string, string>));
  return confusables;
}

/** Names by their looks. */
export class LookAlikes {
  readonly #names = new Map<string, Set<string>>();

  constructor(names: Iterable<string> = []) {
    for (const name of names) this.add(name);
  }

  add(name: string): void {
    for (const key of lookKeys(name)) this.#names.set(key, (this.#names.get(key) ?? new Set()).add(name));
  }

  delete(name: string): void {
    for (const key of lookKeys(name)) {
      const names = this.#names.get(key);
      names?.delete(name);
      if (names?.size === 0) this.#names.delete(key);
    }
  }

  /** Another name that looks like this one. */
  find(name: string): string | undefined {
    for (const key of lookKeys(name)) {
      for (const other of this.#names.get(key) ?? []) if (other !== name) return other;
    }
    return undefined;
  }
}
