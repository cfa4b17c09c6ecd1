import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  type VirtualItem,
  Virtualizer,
} from "@tanstack/virtual-core";
import type { RefObject } from "preact";
import { useLayoutEffect, useReducer, useState } from "preact/hooks";
import type { Entry } from "../model/index.js";

type Rows = Virtualizer<HTMLElement, HTMLElement>;

/** Which rows are in view, and where; the adapter of the virtualiser to this page's components. */
export function useVirtualRows(
  rows: readonly Entry[],
  scroller: RefObject<HTMLElement | null>,
): { readonly virtualizer: Rows; readonly items: readonly VirtualItem[] } {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const options = {
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index: number) => ESTIMATES[rows[index]?.kind ?? "text"],
    getItemKey: (index: number) => rows[index]?.key ?? index,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    overscan: 6,
    paddingStart: 16,
    paddingEnd: 16,
    anchorTo: "end" as const,
    followOnAppend: true,
    onChange: () => redraw(undefined),
  };
  const [virtualizer] = useState(() => new Virtualizer<HTMLElement, HTMLElement>(options));
  virtualizer.setOptions(options);
  useLayoutEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => virtualizer._willUpdate());
  // A transcript is read from its end.
  useLayoutEffect(() => virtualizer.scrollToEnd(), [virtualizer]);
  return { virtualizer, items: virtualizer.getVirtualItems() };
}

/** Heights before a row was measured, in px. */
const ESTIMATES: Readonly<Record<Entry["kind"], number>> = {
  user: 64,
  text: 96,
  thinking: 32,
  tool: 36,
  notice: 40,
  end: 32,
};
