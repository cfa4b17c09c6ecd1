/**
 * Welch's t of two samples: how many standard errors their means lie apart. The slowest tenth of all is left out first, for that is
 * where the machine's other work shows.
 */
export function welchT(one: readonly number[], other: readonly number[]): number {
  const bound = [...one, ...other].sort((a, b) => a - b)[Math.floor((one.length + other.length) * 0.9)] ?? 0;
  const [a, b] = [one, other].map((sample) => momentsOf(sample.filter((value) => value <= bound)));
  if (a === undefined || b === undefined) return Number.NaN;
  return (a.mean - b.mean) / Math.sqrt(a.variance / a.count + b.variance / b.count);
}

function momentsOf(sample: readonly number[]): { count: number; mean: number; variance: number } {
  const count = sample.length;
  const mean = sample.reduce((sum, value) => sum + value, 0) / count;
  const variance = sample.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  return { count, mean, variance };
}
