import type { DaemonErrorCode } from "@daemon-sdk/protocol";
import { storageError } from "../storage-error.js";
import { type SalvageReport, salvage } from "./salvage.js";

/** What {@link salvage} is called with, in its thread. */
export interface SalvageRequest {
  readonly from: string;
  readonly to: string;
  readonly now: number;
}

/** What the thread answers. */
export type SalvageReply =
  | { readonly report: SalvageReport }
  | { readonly error: { readonly code: DaemonErrorCode; readonly message: string } };

/** Salvages, and answers as text what failed: an error loses its class on the way out of a thread. */
export function answerSalvage({ from, to, now }: SalvageRequest): SalvageReply {
  try {
    return { report: salvage(from, to, now) };
  } catch (error) {
    const { code, message } = storageError(to, error);
    return { error: { code, message } };
  }
}
