import type { DaemonError } from "@daemon-sdk/protocol";
import type { StoreWrite } from "../storage/index.js";

/** One call to `SessionLog.commit` that waits for its transaction. */
interface Ask {
  readonly writes: readonly StoreWrite[];
  resolve(): void;
  reject(error: DaemonError): void;
}

/** What of one session waits for the next transaction. That transaction takes it as a whole, and holds it until it is through. */
export class WaitingWrites {
  readonly entries: string[] = [];
  /** Length of the entries in UTF-16 units: a lower bound of their bytes that costs nothing. */
  chars = 0;
  /** Rows by their key, which are tried again when they could not be stored. */
  kept = new Map<string, StoreWrite>();
  readonly asks: Ask[] = [];
  /** Called once the transaction is through, stored or not. */
  readonly waiters: (() => void)[] = [];
}
