import ts from "typescript";

/** A table: per state, the state after each event that has a meaning in it. */
export type MachineTable = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What is promised of a machine beyond its table. */
export interface MachinePromises {
  /** States in which it begins. */
  readonly starts: readonly string[];
  /** States that no event leaves. */
  readonly finals: readonly string[];
  /** An event that has a meaning in every state that is not final, but for those named. */
  readonly exits: Readonly<Record<string, { readonly except?: readonly string[] }>>;
}

/** What is wrong with a machine, one line each: a machine without a fault has none. */
export function faultsOf(table: MachineTable, promises: MachinePromises, drawn: ReadonlySet<string>): string[] {
  const { starts, finals } = promises;
  const states = Object.keys(table);
  const open = states.filter((state) => !finals.includes(state));
  const reached = reachable(table, starts);
  const edges = edgesOf(table);
  return [
    ...states.filter((state) => !reached.has(state)).map((state) => `${state} is never reached`),
    ...[...reached].filter((state) => !(state in table)).map((state) => `${state} has no row`),
    ...open.filter((state) => isTrap(table, state, finals)).map((state) => `${state} leads to no end`),
    ...finals.filter((state) => reachable(table, [state]).size > 1).map((state) => `${state} is not final`),
    ...open.flatMap((state) => missingExits(table, state, promises)),
    ...edges.filter((edge) => !drawn.has(edge)).map((edge) => `not in the diagram: ${edge}`),
    ...[...drawn].filter((edge) => !edges.includes(edge)).map((edge) => `only in the diagram: ${edge}`),
  ];
}

/**
 * The edges that the comment before the constant `name` shows, as `from ─event→ to`.
 *
 * Diagrams are the lines of the comment that are indented by three spaces. A line holds chains, `a ─x→ b ─y→ c`; a list, `a, b ─x, y→ c`,
 * stands for an edge from each of its states by each of its events.
 */
export function drawnEdges(source: string, name: string): Set<string> {
  const edges = new Set<string>();
  for (const line of commentBefore(source, name).split("\n")) {
    if (!/^ \* {3}/.test(line)) continue;
    // Each match looks ahead only: the end of an edge may begin the next.
    for (const [, from = "", events = "", to] of line.matchAll(/(?=\b((?:\w+, )*\w+) ─((?:\w+, )*\w+)→ (\w+))/g)) {
      for (const state of from.split(", "))
        for (const event of events.split(", ")) edges.add(`${state} ─${event}→ ${to}`);
    }
  }
  return edges;
}

function commentBefore(source: string, name: string): string {
  const tree = ts.createSourceFile("machine.ts", source, ts.ScriptTarget.ES2022, true);
  const statement = tree.statements.find(
    (one) =>
      ts.isVariableStatement(one) && one.declarationList.declarations.some((each) => each.name.getText() === name),
  );
  const comment = ts.getLeadingCommentRanges(source, statement?.pos ?? 0)?.at(-1);
  return statement === undefined || comment === undefined ? "" : source.slice(comment.pos, comment.end);
}

function edgesOf(table: MachineTable): string[] {
  return Object.entries(table).flatMap(([from, row]) =>
    Object.entries(row).map(([event, to]) => `${from} ─${event}→ ${to}`),
  );
}

function reachable(table: MachineTable, starts: readonly string[]): Set<string> {
  const reached = new Set(starts);
  for (const state of reached) for (const next of Object.values(table[state] ?? {})) reached.add(next);
  return reached;
}

function isTrap(table: MachineTable, state: string, finals: readonly string[]): boolean {
  const reached = reachable(table, [state]);
  return !finals.some((final) => reached.has(final));
}

function missingExits(table: MachineTable, state: string, { exits }: MachinePromises): string[] {
  return Object.entries(exits)
    .filter(([event, { except = [] }]) => !except.includes(state) && table[state]?.[event] === undefined)
    .map(([event]) => `${state} has no exit by ${event}`);
}
