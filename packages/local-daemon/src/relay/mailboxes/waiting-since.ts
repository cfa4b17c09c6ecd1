import { MAILBOX_LIMITS } from "../../limits/index.js";

/** Entries up to a position, and when the first of them was stored. */
interface Mark {
  through: number;
  readonly at: number;
}

/**
 * Since when entries of a mailbox wait, in bounded memory: entries that were stored at about the same time share a mark. So an age
 * that is read from it is exact for the oldest entries, and at most a mark's span too large.
 */
export class WaitingSince {
  #marks: Mark[] = [];

  /** Entries up to `through` were stored, the first of them at `at` (Unix milliseconds). */
  stored(through: number, at: number): void {
    const newest = this.#marks.at(-1);
    if (newest !== undefined && at - newest.at < MAILBOX_LIMITS.ageMarkMs) newest.through = through;
    else this.#marks.push({ through, at });
    if (this.#marks.length > MAILBOX_LIMITS.ageMarks) this.#merge();
  }

  /** When the oldest entry behind `lowWater` was stored; undefined when none waits. */
  oldest(lowWater: number): number | undefined {
    const first = this.#marks.findIndex(({ through }) => through > lowWater);
    this.#marks.splice(0, first < 0 ? this.#marks.length : first);
    return this.#marks[0]?.at;
  }

  /** Two neighbours become one, with the time of the older one. */
  #merge(): void {
    this.#marks = this.#marks.flatMap((mark, index) => {
      const next = this.#marks[index + 1];
      return index % 2 === 1 ? [] : [{ at: mark.at, through: next?.through ?? mark.through }];
    });
  }
}
