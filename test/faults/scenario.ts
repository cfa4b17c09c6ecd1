/** The 61 scenarios, in the order in which they run and are printed. */
export const FAULT_IDS = [
  ...numbered("L", 6),
  ...numbered("F", 15),
  ...numbered("D", 6),
  ...numbered("B", 10),
  ...numbered("S", 10),
  ...numbered("M", 3),
  ...numbered("Z", 9),
  ...numbered("U", 2),
];

function numbered(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_none, index) => `${letter}${index + 1}`);
}

/** One scenario: something is injected, and a sentence holds nevertheless, or `run` throws. */
export interface FaultScenario {
  /** One of {@link FAULT_IDS}. */
  readonly id: string;
  /** What holds, as a sentence. */
  readonly title: string;
  /** Whether `npm test` runs a sample of it: it takes a few seconds at a small scale. */
  readonly isQuick?: boolean;
  /** Past this it has failed. Default 60 s. */
  readonly limitMs?: number;
  /** Why it cannot run on this machine; undefined where it can. */
  cannotRun?(): string | undefined;
  /** Resolves to its figure, such as `900 cuts, 0 lost, 0 doubled`. */
  run(context: FaultContext): Promise<string>;
}

/** What a scenario may ask of its runner. */
export interface FaultContext {
  /** Prints the same as the run that is to be repeated. */
  readonly seed: number;
  /** 1 is the size of the pass mark; the sample in `npm test` uses less. */
  readonly scale: number;
  /** How long the soak takes. */
  readonly minutes: number;
  /** A text of the names of the parts that run; undefined: all of them. */
  readonly part: string | undefined;
  /**
   * How much longer than alone something takes at the moment because other programs want this machine's cores: 1 on a quiet
   * one. A mark that is an absolute time is held against `mark * slowness`. Looked at anew each time, which takes 60 ms.
   * In a sample it is {@link SAMPLE_PATIENCE}, so that only what hangs is too slow.
   */
  readonly slowness: number;
  /**
   * Whether this is a sample, such as the one in `npm test`: it finds what broke, on any machine, however busy. A mark that a
   * slow machine could miss is held by the full scenario alone.
   */
  readonly isSample: boolean;
  /** The next number of the seeded sequence, from 0 up to 1. */
  random(): number;
  /** A whole number from 0 up to `bound`, `bound` excluded. */
  below(bound: number): number;
  /** That count at the present scale, `least` at least. */
  count(full: number, least?: number): number;
  /** All of these kinds; in a sample so many of them, others with each seed. */
  some<Kind>(kinds: readonly Kind[], least: number): readonly Kind[];
}

/** Options from which {@link createContext} makes a scenario's context. */
export interface ContextOptions {
  readonly id: string;
  readonly seed: number;
  readonly scale: number;
  readonly minutes: number;
  readonly part?: string | undefined;
  /** Measures the present {@link FaultContext.slowness}. */
  slowness(): number;
}

/** A busy machine must not fail a good commit; `npm run test:faults` holds the marks themselves. */
export const SAMPLE_PATIENCE = 50;

/** The context of one scenario. Its random numbers depend on seed and id only, so a scenario can be repeated alone. */
export function createContext({ id, seed, scale, minutes, part, slowness }: ContextOptions): FaultContext {
  const random = sequence([...id].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), seed));
  const isSample = scale < 1;
  let slowest = isSample ? SAMPLE_PATIENCE : slowness();
  return {
    seed,
    scale,
    minutes,
    part,
    get slowness() {
      if (!isSample) slowest = Math.max(slowest, slowness());
      return slowest;
    },
    isSample,
    random,
    below: (bound) => Math.floor(random() * bound),
    count: (full, least = 1) => Math.max(least, Math.round(full * scale)),
    some: (kinds, least) => {
      if (!isSample) return kinds;
      const first = Math.floor(random() * kinds.length);
      return [...kinds.slice(first), ...kinds.slice(0, first)].slice(0, least);
    },
  };
}

/** Mulberry32: small, seeded, and good enough to choose where to cut. */
function sequence(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
