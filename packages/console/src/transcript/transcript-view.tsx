import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Entry } from "../model/index.js";
import { Icon } from "../ui/index.js";
import { Row } from "./row.js";
import { useVirtualRows } from "./use-virtual-rows.js";

/** Options of {@link TranscriptView}. */
export interface TranscriptProps {
  readonly rows: readonly Entry[];
  /** Grows with each change of the rows. */
  readonly version: number;
  /** Uses of tools about which the user is asked. */
  readonly asked: ReadonlySet<string>;
  readonly hasOlder: boolean;
  readOlder(): void;
}

/**
 * The rows of a transcript, of which only those in view are in the document: ten thousand cost no more than fifty. Stays at the end
 * while the user is there.
 */
export function TranscriptView({ rows, asked, hasOlder, readOlder }: TranscriptProps): JSX.Element {
  const scroller = useRef<HTMLElement>(null);
  const { virtualizer, items } = useVirtualRows(rows, scroller);
  const isAtTop = items[0]?.index === 0;
  useEffect(() => {
    if (isAtTop && hasOlder) readOlder();
  }, [isAtTop, hasOlder, rows.length]);
  return (
    <div class="transcript">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has no mouse scrolls it with the arrow keys */}
      <section class="scroller" ref={scroller} tabIndex={0} aria-label="Transcript">
        <div class="rail-of-rows" style={{ height: `${virtualizer.getTotalSize()}px` }}>
          {items.map(({ key, index, start }) => {
            const row = rows[index];
            return (
              row !== undefined && (
                <article
                  key={key}
                  data-index={index}
                  ref={virtualizer.measureElement}
                  class="row-place-holder"
                  aria-label={labelOf(row)}
                  style={{ transform: `translateY(${start}px)` }}
                >
                  <Row row={row} isAsked={asked.has(row.key)} />
                </article>
              )
            );
          })}
        </div>
      </section>
      {!virtualizer.isAtEnd() && (
        <button type="button" class="to-end" onClick={() => virtualizer.scrollToEnd()}>
          <Icon name="down" />
          Newest
        </button>
      )}
    </div>
  );
}

/** What a screen reader says of a row before its content. */
function labelOf(row: Entry): string {
  switch (row.kind) {
    case "user":
      return row.isWaiting ? "You, queued" : "You";
    case "text":
      return "Agent";
    case "thinking":
      return "Thinking";
    case "tool":
      return `Tool ${row.name}`;
    case "notice":
      return row.isError ? "Failure" : "Notice";
    case "end":
      return "End of the turn";
  }
}
