import ts from "typescript";
import type { SourceFile } from "./packages.js";

/** One line of a Mermaid sequence chart that the sources have to bear out. */
interface Message {
  readonly to: string;
  readonly label: string;
  /** Drawn with a solid line: a call. A dashed one is what comes back, in words. */
  readonly isCall: boolean;
}

/** Somebody that a chart sends messages to. */
interface Participant {
  /** A class, an interface or a file. */
  readonly name: string;
  /** Package and folder: `local-daemon/sessions`. */
  readonly place: string;
}

/** One sequence chart. */
export interface Chart {
  readonly participants: ReadonlyMap<string, Participant>;
  /** Who is no code of ours: programs, processes, people. */
  readonly actors: ReadonlySet<string>;
  readonly messages: readonly Message[];
  /** Lines that are none of those a chart here may have. */
  readonly unread: readonly string[];
}

/** The sources of one package, under its folder's name. */
export interface PackageSources {
  readonly folder: string;
  readonly files: readonly SourceFile[];
}

/** A class or an interface. */
interface Type {
  /** `local-daemon/sessions/session.ts` */
  readonly path: string;
  readonly members: ReadonlySet<string>;
  readonly bases: readonly string[];
}

/** What the sources declare. */
export interface Declared {
  readonly types: ReadonlyMap<string, readonly Type[]>;
  /** Paths of the files that declare a function of that name. */
  readonly functions: ReadonlyMap<string, readonly string[]>;
}

const BLOCK = /```mermaid\n(sequenceDiagram\n[\s\S]*?)```/g;
const PARTICIPANT = /^participant (\w+) as ([\w.-]+)<br\/>([\w/.-]+)$/;
const ACTOR = /^actor (\w+) as .+$/;
const MESSAGE = /^(\w+)(--?)>>(\w+): (.+)$/;
const OTHER = /^(autonumber|Note (over|left of|right of) [\w,]+: .+|(loop|alt|else|opt|par|and|break) .+|end)$/;
/** `Class.method` or `function()`. */
const NAME = /\b([A-Z]\w*)\.(\w+)|\b([a-z]\w*)\(\)/g;

/** Every sequence chart of a page, in order. */
export function chartsOf(page: string): Chart[] {
  return [...page.matchAll(BLOCK)].map((match) => readChart(match[1] ?? ""));
}

function readChart(text: string): Chart {
  const participants = new Map<string, Participant>();
  const actors = new Set<string>();
  const messages: Message[] = [];
  const unread: string[] = [];
  const lines = text.split("\n").map((line) => line.trim());
  for (const line of lines.slice(1).filter((one) => one !== "")) {
    const [, id, name, place] = PARTICIPANT.exec(line) ?? [];
    const [, actor] = ACTOR.exec(line) ?? [];
    const [, , dashes, to, label] = MESSAGE.exec(line) ?? [];
    if (id && name && place) participants.set(id, { name, place });
    else if (actor) actors.add(actor);
    else if (to && label) messages.push({ to, label, isCall: dashes === "-" });
    // Mermaid ends a text at either of these signs.
    if (/[;#]/.test(line) || !(id || actor || to || OTHER.test(line))) unread.push(line);
  }
  return { participants, actors, messages, unread };
}

/** What a chart names that the sources do not have, in words. Empty when it is true. */
export function faultsOf(chart: Chart, declared: Declared): string[] {
  const { participants, actors, messages, unread } = chart;
  const lost = [...participants.values()]
    .filter((participant) => !isDeclared(participant, declared))
    .map(({ name, place }) => `${name} is not in ${place}`);
  const wrong = messages.flatMap((message) => {
    if (actors.has(message.to)) return [];
    const participant = participants.get(message.to);
    if (participant === undefined) return [`nobody is called ${message.to}`];
    return faultsOfLabel(message, participant, declared);
  });
  return [...unread.map((line) => `cannot be read: ${line}`), ...lost, ...wrong];
}

function faultsOfLabel({ label, isCall }: Message, participant: Participant, declared: Declared): string[] {
  const names = [...label.matchAll(NAME)];
  if (isCall && names[0]?.index !== 0) return [`names no function first: ${label}`];
  return names.flatMap(([name, owner, member, plain], index) => {
    const isOwn = isCall && index === 0;
    if (owner === undefined || member === undefined) {
      const files = declared.functions.get(plain ?? "") ?? [];
      return files.some((path) => !isOwn || isWithin(path, participant)) ? [] : [`no function ${name} for: ${label}`];
    }
    const isFile = participant.name.endsWith(".ts");
    if (isOwn && !isFile && owner !== participant.name) return [`${name} is not of ${participant.name}`];
    const types = (declared.types.get(owner) ?? []).filter(({ path }) => !isOwn || isWithin(path, participant));
    return types.some((type) => hasMember(type, member, declared)) ? [] : [`there is no ${name}`];
  });
}

function isDeclared({ name, place }: Participant, { types, functions }: Declared): boolean {
  if (!name.endsWith(".ts")) return (types.get(name) ?? []).some(({ path }) => path.startsWith(`${place}/`));
  return [...functions.values()].flat().includes(`${place}/${name}`);
}

function isWithin(path: string, { name, place }: Participant): boolean {
  return name.endsWith(".ts") ? path === `${place}/${name}` : path.startsWith(`${place}/`);
}

function hasMember({ members, bases }: Type, member: string, declared: Declared): boolean {
  if (members.has(member)) return true;
  return bases.some((base) => (declared.types.get(base) ?? []).some((type) => hasMember(type, member, declared)));
}

/** Classes, interfaces and functions of all packages. A private `#name` is listed as `name`. */
export function declarationsOf(packages: readonly PackageSources[]): Declared {
  const types = new Map<string, Type[]>();
  const functions = new Map<string, string[]>();
  for (const { folder, files } of packages) {
    for (const { path, tree } of files) {
      const place = `${folder}/${path}`;
      for (const statement of tree.statements) {
        for (const name of functionNames(statement)) functions.set(name, [...(functions.get(name) ?? []), place]);
        if (!ts.isClassDeclaration(statement) && !ts.isInterfaceDeclaration(statement)) continue;
        const name = statement.name?.text ?? "";
        types.set(name, [...(types.get(name) ?? []), typeOf(statement, place)]);
      }
    }
  }
  return { types, functions };
}

function functionNames(statement: ts.Statement): string[] {
  if (ts.isFunctionDeclaration(statement)) return statement.name === undefined ? [] : [statement.name.text];
  if (!ts.isVariableStatement(statement)) return [];
  return statement.declarationList.declarations
    .filter(({ initializer }) => initializer !== undefined && ts.isFunctionLike(initializer))
    .map(({ name }) => name.getText());
}

function typeOf(declaration: ts.ClassDeclaration | ts.InterfaceDeclaration, path: string): Type {
  const members: readonly (ts.ClassElement | ts.TypeElement)[] = declaration.members;
  const names = members.map(({ name }) => name?.getText().replace(/^#/, "") ?? "");
  const clauses = declaration.heritageClauses ?? [];
  const bases = clauses.flatMap((clause) => clause.types.map(({ expression }) => expression.getText()));
  return { path, members: new Set(names), bases };
}
