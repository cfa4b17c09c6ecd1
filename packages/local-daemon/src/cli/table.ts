import getTruncatedWidth from "fast-string-truncated-width";
import { printable, type Style, type Terminal } from "./terminal.js";

/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  text(row: Row): string;
  readonly style?: Style;
  /** Whether it gives way where the terminal is too narrow: it is cut then. Default false. */
  readonly isCut?: boolean;
}

const GAP = "  ";
/** Narrower, a cut column says nothing any more. */
const LEAST_WIDTH = 8;

/**
 * Prints rows in columns. At a terminal with titles, and no row is longer than a line; elsewhere without titles and whole, for
 * programs that cut lines themselves.
 */
export function printTable<Row>(terminal: Terminal, columns: readonly Column<Row>[], rows: readonly Row[]): void {
  if (rows.length === 0) return;
  const cells = rows.map((row) => columns.map((column) => printable(column.text(row)).replaceAll(/[\t\n]+/g, " ")));
  const isShown = terminal.columns !== undefined;
  const titles = columns.map(({ title }) => title);
  const all = isShown ? [titles, ...cells] : cells;
  const widths = columns.map((_, index) => Math.max(...all.map((line) => widthOf(line[index] ?? ""))));
  if (terminal.columns !== undefined) narrow(widths, columns, terminal.columns);
  for (const line of all) {
    line.forEach((text, index) => {
      const width = widths[index] ?? 0;
      const isLast = index === line.length - 1;
      const cell = isShown ? cut(text, width) : text;
      const padding = isLast ? "\n" : " ".repeat(Math.max(0, width - widthOf(cell))) + GAP;
      terminal.answer(cell, line === titles ? "dim" : columns[index]?.style);
      terminal.answer(padding);
    });
  }
}

/** Text of at most that many places of a terminal; what is cut ends with an ellipsis. */
export function cut(text: string, width: number): string {
  const { index, ellipsed } = getTruncatedWidth(text, { limit: width, ellipsis: "…", ellipsisWidth: 1 });
  return ellipsed ? `${text.slice(0, index)}…` : text.slice(0, index);
}

/** Takes what is too much from the columns that give way, the last one first, and where that is not enough from the others, too. */
function narrow(widths: number[], columns: readonly Column<never>[], room: number): void {
  let excess = widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1)) - room;
  for (const isCut of [true, false]) {
    for (let index = widths.length - 1; index >= 0 && excess > 0; index--) {
      if ((columns[index]?.isCut ?? false) !== isCut) continue;
      const width = widths[index] ?? 0;
      const less = Math.min(width, Math.max(LEAST_WIDTH, width - excess));
      excess -= width - less;
      widths[index] = less;
    }
  }
}

function widthOf(text: string): number {
  return getTruncatedWidth(text).width;
}
