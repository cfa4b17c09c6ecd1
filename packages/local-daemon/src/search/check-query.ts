import { DaemonError, LIMITS, ProtocolError, RpcCode } from "@daemon-sdk/protocol";
import { SEARCH_LIMITS } from "../limits/index.js";
import type { SearchQuery } from "./search-query.js";
import { type Term, termsOf } from "./search-terms.js";

/** The terms of a query that keeps every bound. Throws `INVALID_PARAMS` with the name of the bound and both numbers. */
export function checkedTerms(query: SearchQuery): Term[] {
  check("query", "characters", query.query.length, LIMITS.searchQueryChars);
  check("limitSessions", "sessions", query.limitSessions, LIMITS.searchSessionsMax);
  check("limitHitsPerSession", "hits", query.limitHitsPerSession, LIMITS.searchHitsMax);
  check("contextChars", "characters", query.contextChars, LIMITS.searchContextChars);
  const terms = termsOf(query.query);
  check("query", "words", terms.length, LIMITS.searchWords);
  return terms;
}

function check(name: string, unit: string, found: number, most: number): void {
  if (found <= most) return;
  throw new ProtocolError(
    "INVALID_PARAMS",
    `${name}: ${found} ${unit} are too many for a search, which takes ${most}.`,
    {
      rpcCode: RpcCode.invalidParams,
    },
  );
}

/** As many searches of a principal wait as may. */
export function tooManySearches(): DaemonError {
  const most = SEARCH_LIMITS.waitingPerPrincipal;
  return new DaemonError(
    "QUEUE_FULL",
    `${most} searches of yours wait already (waitingPerPrincipal). Search again when one of them has ended.`,
  );
}
