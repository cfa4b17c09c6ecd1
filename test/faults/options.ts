import { parseArgs } from "node:util";
import { FAULT_IDS } from "./scenario.js";

/** Sizes of the sample in `npm test`, as a share of the full ones. */
const SAMPLE_SCALE = 0.02;
const SOAK_MINUTES = 3;

/** What `--help` shows. */
export const USAGE = `npm run test:faults [-- [id …] [options]]

The scenarios of docs/guarantees.md, one after another, one line each, then "N passed, N failed".
Without ids all of them: ${FAULT_IDS.join(" ")}.

  --seed <n>      the same random choices again; every run prints its seed
  --sample        the quick ones, at a fiftieth of their size, as npm test runs them
  --scale <x>     sizes as a share of the full ones
  --part <text>   of Z2 the attacks whose names have this text
  --minutes <n>   how long L6 runs (default ${SOAK_MINUTES})
  --at-once <n>   so many scenarios at a time, each in a process of its own (default 1: the marks are for a scenario alone)
  --built         without building first
  --help          this text
`;

/** What a run is asked for. */
export interface FaultOptions {
  readonly names: readonly string[];
  readonly isSample: boolean;
  readonly seed: number;
  readonly scale: number;
  readonly minutes: number;
  /** Which parts of a scenario run, by a text of their names; undefined: all. */
  readonly part?: string | undefined;
  /** How many scenarios run at a time. */
  readonly atOnce: number;
}

/**
 * Reads the arguments; undefined when only help is wanted.
 *
 * @throws TypeError when they make no sense; its text says which one.
 */
export function readOptions(args: readonly string[]): FaultOptions | undefined {
  const { values, positionals: names } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seed: { type: "string" },
      scale: { type: "string" },
      minutes: { type: "string" },
      part: { type: "string" },
      sample: { type: "boolean", default: false },
      "at-once": { type: "string", default: "1" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const unknown = names.filter((name) => !FAULT_IDS.includes(name));
  if (unknown.length > 0) throw new TypeError(`There is no ${unknown.join(", ")}.`);
  return {
    names,
    isSample: values.sample,
    seed: number("seed", values.seed, Math.floor(Math.random() * 2 ** 31)),
    scale: number("scale", values.scale, values.sample ? SAMPLE_SCALE : 1),
    minutes: number("minutes", values.minutes, SOAK_MINUTES),
    part: values.part,
    atOnce: atOnceOf(values["at-once"]),
  };
}

function number(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const given = Number(text);
  if (text.trim() === "" || !Number.isFinite(given) || given < 0)
    throw new TypeError(`--${name} is a number, not ${text}.`);
  return given;
}

function atOnceOf(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new TypeError(`--at-once is a whole number from 1, not ${text}.`);
  return count;
}
