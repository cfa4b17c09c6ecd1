import { useEffect, useState } from "preact/hooks";
import type { DaemonState, SessionRow } from "../daemon/index.js";

/** Rest after the last key before the daemon is asked. */
const PAUSE_MS = 200;

/** What a search found. */
export interface Search {
  has(row: SessionRow): boolean;
  /** Where the words stand, by session. */
  readonly snippets: ReadonlyMap<string, string>;
}

/** Searches titles at once, and what was said by the daemon's index. */
export function useSearch(state: DaemonState, query: string): Search {
  const [found, setFound] = useState<ReadonlyMap<string, string>>(new Map());
  const words = query.trim().toLowerCase();
  useEffect(() => {
    if (words === "") {
      setFound(new Map());
      return;
    }
    let isCurrent = true;
    const add = (places: readonly (readonly [string, string])[]): void => {
      if (isCurrent) setFound((before) => new Map([...before, ...places]));
    };
    setFound(new Map());
    const timer = setTimeout(() => {
      void state.connection.value
        ?.searchSessions({ query: words, kind: "all", limitSessions: 100, limitHitsPerSession: 1, contextChars: 60 })
        .then(({ sessions }) => add(sessions.map(({ sessionId, hits }) => [sessionId, hits[0]?.snippets[0] ?? ""])))
        .catch(() => {});
      void state.fleet
        .search(words)
        .then((places) => add(places.map(({ sessionId, snippet }) => [sessionId, snippet])))
        .catch(() => {});
    }, PAUSE_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [words, state]);
  return {
    has: ({ sessionId, title = "", cwd = "" }) =>
      words === "" || found.has(sessionId) || `${title} ${cwd}`.toLowerCase().includes(words),
    snippets: found,
  };
}
