/** What one round of a contestant reached. */
export interface Round {
  /** The figure, in the measure's unit. */
  readonly figure: number;
  /** Further figures of the same round, by name; the name contains the unit where that is another one. */
  readonly also: Readonly<Record<string, number>>;
}

/** One contestant of a measure. */
export interface Contestant {
  readonly name: string;
  /** One round: the figure it reached, in the measure's unit, with further ones where there are any. */
  round(): Promise<number | Round>;
}

/** What a measure has to reach for `npm run bench:check`. */
export interface Bar {
  readonly contestant: string;
  /** One of the further figures; default: the figure of the measure. */
  readonly figure?: string;
  /** Contestant to which it is compared in the same run. Default: the bar is a figure in the measure's unit. */
  readonly of?: string;
  /** Further figure of the contestant to which it is compared; default: the same as of the contestant. */
  readonly ofFigure?: string;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** A measure with one figure: ours and, in the same run, the limit to which it is compared. */
export interface Measure {
  /** As given on the command line. */
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly better: "more" | "less";
  /** Name of the contestant that is the limit. Undefined: nothing physical bounds it. */
  readonly limit?: string;
  /** Rounds of each contestant; default {@link ROUNDS}. Many short rounds spread other load evenly. */
  readonly rounds?: number;
  /** Rounds before those, which do not count; default {@link WARM_UP_ROUNDS}. */
  readonly warmUpRounds?: number;
  readonly bars?: readonly Bar[];
  /** Runs only when it is named: it takes minutes. */
  readonly isOnDemand?: boolean;
  /** Why it cannot run here, such as a peer that is not installed; undefined when it can. */
  missing?(): string | undefined;
  /** Starts what the contestants need; `close` ends it, processes included. */
  open(): Promise<OpenMeasure>;
}

/** A measure whose contestants are ready. */
export interface OpenMeasure {
  readonly contestants: readonly Contestant[];
  /** Contestants that cannot take part here, each with the reason. */
  readonly absent?: readonly string[];
  close(): Promise<void>;
}

/** What a contestant reached over all rounds. */
export interface Outcome {
  readonly measure: string;
  readonly contestant: string;
  /** Name of a further figure; undefined for the figure of the measure. */
  readonly figure?: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Median over the median of the limit; undefined without a limit. */
  readonly ofLimit?: number;
}

/** What {@link run} found out. */
export interface MeasureResult {
  readonly outcomes: readonly Outcome[];
  readonly absent: readonly string[];
}

const ROUNDS = 5;

/** Warm-up rounds, which do not count: a process gets faster during its first hundred thousand messages. */
const WARM_UP_ROUNDS = 2;

/** Figures of one contestant by their names, in the order of the rounds; "" names the figure of the measure. */
type Columns = Map<string, number[]>;

/**
 * Runs all contestants of a measure in turns (A B C, A B C, …), after a few rounds each that do not count, so that
 * what else happens on the machine hits all of them alike.
 */
export async function run(measure: Measure): Promise<MeasureResult> {
  const { rounds = ROUNDS, warmUpRounds = WARM_UP_ROUNDS } = measure;
  const { contestants, absent = [], close } = await measure.open();
  const columns = contestants.map((): Columns => new Map());
  try {
    for (let round = -warmUpRounds; round < rounds; round += 1) {
      for (const [index, contestant] of contestants.entries()) {
        const result = await contestant.round();
        if (round >= 0) note(columns[index], result);
      }
    }
  } finally {
    await close();
  }
  const limit = columns[contestants.findIndex(({ name }) => name === measure.limit)];
  const outcomes = contestants.flatMap(({ name }, index) => summarize(measure, name, columns[index], limit));
  return { outcomes, absent };
}

function note(columns: Columns | undefined, result: number | Round): void {
  const { figure, also } = typeof result === "number" ? { figure: result, also: {} } : result;
  for (const [name, value] of [["", figure] as const, ...Object.entries(also)]) {
    const column = columns?.get(name);
    if (column === undefined) columns?.set(name, [value]);
    else column.push(value);
  }
}

function summarize(
  measure: Measure,
  contestant: string,
  columns: Columns | undefined,
  limit: Columns | undefined,
): Outcome[] {
  return [...(columns ?? [])].map(([figure, values]) => {
    const middle = median(values);
    const ofLimit = middle / median(limit?.get(figure) ?? []);
    return {
      measure: measure.name,
      contestant,
      ...(figure !== "" && { figure }),
      unit: measure.unit,
      median: middle,
      min: Math.min(...values),
      max: Math.max(...values),
      ...(Number.isFinite(ofLimit) && { ofLimit }),
    };
  });
}

/** How one bar came out. */
export interface Verdict {
  readonly bar: Bar;
  /** The ratio, or the figure itself where the bar is one. NaN when a contestant was absent. */
  readonly reached: number;
  readonly isReached: boolean;
}

/** Compares the outcomes of a measure with its bars. */
export function judge(measure: Measure, outcomes: readonly Outcome[]): readonly Verdict[] {
  const medianOf = (contestant: string, figure: string | undefined) =>
    outcomes.find((outcome) => outcome.contestant === contestant && outcome.figure === figure)?.median ?? Number.NaN;
  return (measure.bars ?? []).map((bar) => {
    const figure = medianOf(bar.contestant, bar.figure);
    const reached = bar.of === undefined ? figure : figure / medianOf(bar.of, bar.ofFigure ?? bar.figure);
    const isReached = reached >= (bar.atLeast ?? Number.NEGATIVE_INFINITY) && reached <= (bar.atMost ?? Infinity);
    return { bar, reached, isReached };
  });
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
