/** Steps of an axis that people read easily. */
const STEPS = [1, 2, 2.5, 5, 10] as const;

/** The smallest easy number that is not below `most`; 1 where nothing was measured. */
export function roundUp(most: number): number {
  if (!(most > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  const step = STEPS.find((one) => one * power >= most) ?? 10;
  return step * power;
}

/** A point of a series: undefined where nothing was measured. */
export type Point = number | undefined;

/** The path of a line through a series, with gaps where nothing was measured. Units: columns, and `height` for `most`. */
export function linePath(points: readonly Point[], most: number, height: number): string {
  let isDown = false;
  return points
    .map((point, index) => {
      if (point === undefined) {
        isDown = false;
        return "";
      }
      const place = `${index + 0.5} ${rounded(height - (point / most) * height)}`;
      // Of a point without neighbours, a line of no length is drawn as a dot.
      const piece = isDown ? `L${place}` : `M${place}h0`;
      isDown = true;
      return piece;
    })
    .join("");
}

/** The path of the bars of a series. */
export function barPath(points: readonly Point[], most: number, height: number): string {
  return points
    .map((point, index) => {
      if (point === undefined || point === 0) return "";
      const top = rounded(height - (point / most) * height);
      return `M${index + 0.15} ${height}V${top}h0.7V${height}z`;
    })
    .join("");
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
