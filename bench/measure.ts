/** One contestant of a measure. */
export interface Contestant {
  readonly name: string;
  /** One round: the figure it reached, in the measure's unit. */
  round(): Promise<number>;
}

/** A measure with one figure: ours and, in the same run, the limit to which it is compared. */
export interface Measure {
  /** As given on the command line. */
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly better: "more" | "less";
  /** Name of the contestant that is the limit. */
  readonly limit: string;
  /** Rounds of each contestant; default {@link ROUNDS}. Many short rounds spread other load evenly. */
  readonly rounds?: number;
  /** Why it cannot run here, such as a peer that is not installed; undefined when it can. */
  missing?(): string | undefined;
  /** Starts what the contestants need; `close` ends it, processes included. */
  open(): Promise<{ contestants: readonly Contestant[]; close(): Promise<void> }>;
}

/** What a contestant reached over all rounds. */
export interface Outcome {
  readonly measure: string;
  readonly contestant: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Median over the median of the limit. */
  readonly ofLimit: number;
}

const ROUNDS = 7;

/** Warm-up rounds, which do not count: a process gets faster during its first hundred thousand messages. */
const WARM_UP_ROUNDS = 3;

/**
 * Runs all contestants of a measure in turns (A B C, A B C, …), after a few rounds each that do not count, so that
 * what else happens on the machine hits all of them alike.
 */
export async function run(measure: Measure): Promise<Outcome[]> {
  const { rounds = ROUNDS } = measure;
  const { contestants, close } = await measure.open();
  const figures = contestants.map((): number[] => []);
  try {
    for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
      for (const [index, contestant] of contestants.entries()) {
        const figure = await contestant.round();
        if (round >= 0) figures[index]?.push(figure);
      }
    }
  } finally {
    await close();
  }
  const limitIndex = contestants.findIndex(({ name }) => name === measure.limit);
  const limit = median(figures[limitIndex] ?? []);
  return contestants.map(({ name }, index) => summarize(measure, name, figures[index] ?? [], limit));
}

function summarize(measure: Measure, contestant: string, figures: number[], limit: number): Outcome {
  const middle = median(figures);
  return {
    measure: measure.name,
    contestant,
    unit: measure.unit,
    median: middle,
    min: Math.min(...figures),
    max: Math.max(...figures),
    ofLimit: middle / limit,
  };
}

/** The middle of some figures; the mean of the two middle ones when their number is even. */
export function median(figures: readonly number[]): number {
  return quantile(figures, 0.5);
}

/** The figure below which that share of the others lies, between neighbours in proportion. */
export function quantile(figures: readonly number[], share: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}
