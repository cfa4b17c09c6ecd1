import type { DaemonErrorCode } from "@daemon-sdk/protocol";
import type { MessageChange, MessageSource } from "../storage/index.js";
import type { SearchQuery } from "./search-query.js";
import type { Found } from "./search-work.js";

/** What the one who keeps the index can be asked. */
export type IndexRequest =
  | { readonly kind: "open"; readonly source: MessageSource }
  | { readonly kind: "put"; readonly changes: readonly MessageChange[]; readonly filledTo?: number | "all" | undefined }
  | { readonly kind: "search"; readonly query: SearchQuery }
  | { readonly kind: "close" };

/** Results by the kind of request. */
export interface IndexResults {
  /** The message up to which the index is filled; undefined: to the end. */
  readonly open: number | undefined;
  readonly put: undefined;
  readonly search: Found;
  readonly close: undefined;
}

/** A request with the number its reply carries. */
export interface NumberedRequest {
  readonly no: number;
  readonly request: IndexRequest;
}

/** The answer to a request. `isBroken`: the index was thrown away, and is to be opened again. */
export type IndexReply =
  | { readonly no: number; readonly result: IndexResults[keyof IndexResults] }
  | { readonly no: number; readonly error: { code: DaemonErrorCode; message: string; isBroken: boolean } };
