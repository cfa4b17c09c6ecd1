import { Contender, type Reached } from "../../../packages/local-daemon/test/rendezvous/contender.js";

/** Who races. */
export interface Race {
  readonly state: string;
  readonly count: number;
  /** Which of them run in a network of their own. */
  isApart(index: number): boolean;
}

/** Loads that many processes, makes all request a daemon at once, and ends them when all have one. */
export async function raceFor({ state, count, isApart }: Race): Promise<Reached[]> {
  const loading = Array.from({ length: count }, (_none, index) => Contender.load(state, isApart(index)));
  try {
    const contenders = await Promise.all(loading);
    return await Promise.all(contenders.map((contender) => contender.connect()));
  } finally {
    await Promise.allSettled(loading.map(async (contender) => (await contender).leave()));
  }
}
