/** Where something stands in a text; both numbers count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A text that is not JSON: where, and what is wrong there. */
export interface JsonFault {
  readonly offset: number;
  readonly message: string;
}

/** Deeper than a configuration is; a bound for the recursion. */
const DEPTH = 32;

const SPACE = /[ \t\r\n]*/y;
const STRING = /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const SCALAR = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.])/y;

/**
 * Where the keys and values of a JSON text stand, so that a message about one can name its line. `JSON.parse` states neither a
 * line nor the key, and takes the last of two equal keys in silence.
 */
export class JsonPlaces {
  readonly fault: JsonFault | undefined;
  readonly #text: string;
  /** Offsets by dotted path: of a key where there is one, else of the value. */
  readonly #offsets = new Map<string, number>();
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.fault = this.#read();
  }

  /** The place of an offset. */
  placeOf(offset: number): Place {
    const before = this.#text.slice(0, offset).split("\n");
    return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  }

  /** The place of the key or element at a dotted path, or of the nearest one around it that exists. */
  find(path: string): Place {
    for (let name = path; name !== ""; name = name.slice(0, Math.max(0, name.lastIndexOf(".")))) {
      const offset = this.#offsets.get(name);
      if (offset !== undefined) return this.placeOf(offset);
    }
    return this.placeOf(this.#offsets.get("") ?? 0);
  }

  #read(): JsonFault | undefined {
    try {
      this.#value("", 0);
      this.#skip();
      return this.#at < this.#text.length ? this.#wrong("the end of the file") : undefined;
    } catch (fault) {
      if (fault instanceof Wrong) return { offset: fault.offset, message: fault.text };
      throw fault;
    }
  }

  #value(path: string, depth: number): void {
    this.#skip();
    if (!this.#offsets.has(path)) this.#offsets.set(path, this.#at);
    if (depth > DEPTH) throw new Wrong(this.#at, `at most ${DEPTH} levels of nesting are read`);
    const first = this.#text[this.#at];
    if (first === "{") this.#members(path, "}", (inner) => this.#member(inner, path, depth));
    else if (first === "[") this.#members(path, "]", (_, index) => this.#value(join(path, String(index)), depth + 1));
    else if (first === '"') this.#string();
    else if (this.#match(SCALAR) === undefined) throw this.#fail("a value");
  }

  #members(_path: string, close: "}" | "]", read: (seen: Set<string>, index: number) => void): void {
    this.#at += 1;
    const seen = new Set<string>();
    this.#skip();
    if (this.#take(close)) return;
    for (let index = 0; ; index += 1) {
      read(seen, index);
      this.#skip();
      if (this.#take(close)) return;
      if (!this.#take(",")) throw this.#fail(`"," or "${close}"`);
      this.#skip();
      if (this.#text[this.#at] === close) throw new Wrong(this.#at, `a comma must not stand before "${close}"`);
    }
  }

  #member(seen: Set<string>, path: string, depth: number): void {
    this.#skip();
    const offset = this.#at;
    const key: unknown = JSON.parse(this.#string());
    const name = String(key);
    if (seen.has(name)) throw new Wrong(offset, "this key stands twice");
    seen.add(name);
    this.#offsets.set(join(path, name), offset);
    this.#skip();
    if (!this.#take(":")) throw this.#fail('":"');
    this.#value(join(path, name), depth + 1);
  }

  #string(): string {
    const found = this.#match(STRING);
    if (found !== undefined) return found;
    const isOpen = this.#text[this.#at] === '"';
    throw isOpen
      ? new Wrong(this.#at, "this string has no valid end on its line")
      : this.#fail("a key in double quotes");
  }

  #skip(): void {
    this.#match(SPACE);
    const start = this.#text.slice(this.#at, this.#at + 2);
    if (start === "//" || start === "/*" || start.startsWith("#")) {
      throw new Wrong(this.#at, "a comment stands here; the file is plain JSON, which has none");
    }
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  /** Never repeats the text: it may be part of a secret. */
  #fail(expected: string): Wrong {
    return new Wrong(this.#at, this.#wrong(expected).message);
  }

  #wrong(expected: string): JsonFault {
    const char = this.#text[this.#at];
    const found =
      char === undefined ? "the file ends" : char === "'" ? "a single quote stands" : "something else stands";
    return { offset: this.#at, message: `expected ${expected}, but ${found} here` };
  }
}

/** How the reader gives up; never leaves this file. */
class Wrong {
  readonly offset: number;
  readonly text: string;

  constructor(offset: number, text: string) {
    this.offset = offset;
    this.text = text;
  }
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
