import { ANSWER_CASES } from "./answer-cases.js";
import { AUTHENTICATION_CASES } from "./authentication-cases.js";
import { CREDIT_CASES } from "./credit-cases.js";
import type { DaemonCase } from "./daemon-harness.js";
import { FOLLOW_CASES } from "./follow-cases.js";
import { INBOX_CASES } from "./inbox-cases.js";
import { POSITION_CASES } from "./position-cases.js";
import { RECEIPT_CASES } from "./receipt-cases.js";
import { SESSION_CASES } from "./session-cases.js";
import { TURN_CASES } from "./turn-cases.js";
import { WIRE_CASES } from "./wire-cases.js";

/**
 * The laws of docs/protocol.md for daemons, as cases of bare frames that run against any daemon: in memory, in this process
 * or elsewhere. `P7.4` in an id is the mark of the law in that document.
 *
 * Each case makes sessions of its own, so the daemon may have others. Each case declares the capabilities that it needs; with
 * a harness of `daemonHarness`, cases with missing capabilities are skipped.
 */
export const daemonContract: readonly DaemonCase[] = [
  ...WIRE_CASES,
  ...AUTHENTICATION_CASES,
  ...SESSION_CASES,
  ...TURN_CASES,
  ...RECEIPT_CASES,
  ...INBOX_CASES,
  ...ANSWER_CASES,
  ...POSITION_CASES,
  ...CREDIT_CASES,
  ...FOLLOW_CASES,
].toSorted((one, other) => placeOf(one) - placeOf(other));

/** Section and number of a case's law, as one number. */
function placeOf({ id }: DaemonCase): number {
  const [section = 0, law = 0] = id.slice(1).split("-")[0]?.split(".").map(Number) ?? [];
  return section * 1000 + law;
}
