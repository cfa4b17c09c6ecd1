import { ANSWERING_MUTANTS } from "./answering-mutants.js";
import { JOURNAL_MUTANTS } from "./journal-mutants.js";
import { SESSION_MUTANTS } from "./session-mutants.js";
import type { Sin } from "./sinful-daemon.js";
import { TURN_MUTANTS } from "./turn-mutants.js";
import { WIRE_MUTANTS } from "./wire-mutants.js";

/** A daemon that breaks one law. */
export interface DaemonMutant {
  readonly sin: string;
  /** The case that names the sin, first; then others that cannot but see it, too. */
  readonly caughtBy: readonly [string, ...string[]];
  /** A fresh one for each daemon. */
  make(): Sin;
}

/** Every mutant breaks one law and keeps the others as far as that can be. */
export const DAEMON_MUTANTS: readonly DaemonMutant[] = [
  ...WIRE_MUTANTS,
  ...SESSION_MUTANTS,
  ...TURN_MUTANTS,
  ...ANSWERING_MUTANTS,
  ...JOURNAL_MUTANTS,
];
