/**
 * Steps of a move, and what there is before each of them. Whoever dies before a step, the session is on exactly one machine, and the same
 * call goes on, or begins again.
 *
 *   step      │ directory        │ source            │ target     │ after a death, the session is │ the next call
 *   ──────────┼──────────────────┼───────────────────┼────────────┼───────────────────────────────┼──────────────────────────────
 *   begin     │ source           │ serves            │ nothing    │ on the source                 │ begins
 *   leave     │ source, move     │ serves            │ nothing    │ on the source                 │ goes on with the same move
 *   copy      │ source, move     │ frozen            │ a part     │ on the source, frozen         │ goes on behind that part
 *   files     │ source, move     │ frozen            │ everything │ on the source, frozen         │ calls `files` again
 *   commit    │ source, move     │ frozen            │ prepared   │ on the source, frozen         │ as before
 *   arrive    │ target, move     │ frozen            │ prepared   │ on the target, not served yet │ serves it there
 *   forget    │ target, move     │ frozen            │ serves     │ on the target                 │ the source gives its copy up
 *   end       │ target, move     │ mark of the move  │ serves     │ on the target                 │ ends the move in the directory
 *
 * The decision is one compare-and-set of the directory's entry (`commit`). Before it the move can be given up: that is a compare-and-set of
 * the same entry, so that a move is never both given up and committed. After it the move can only go on.
 */
const STEPS = {
  begin: "leave",
  leave: "copy",
  copy: "files",
  files: "commit",
  commit: "arrive",
  arrive: "forget",
  forget: "end",
  end: undefined,
} as const;

/** A step of a move; before each of them `onStep` is called, before `copy` for each piece. */
export type MoveStep = keyof typeof STEPS;

/** The steps in their order. */
export const MOVE_STEPS = Object.keys(STEPS) as readonly MoveStep[];

/** The step after another; undefined after the last one. */
export function nextStep(step: MoveStep): MoveStep | undefined {
  return STEPS[step];
}
