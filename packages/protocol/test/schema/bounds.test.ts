import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type * as z from "zod/mini";
import { METHODS, TEXT_LIMITS } from "../../src/index.js";
import { grantCreditParamsSchema, METHOD_SCHEMAS } from "../../src/schema.js";

/** The inside of a schema, as far as this walk needs it. */
interface Def {
  type: string;
  shape?: Record<string, Inside>;
  element?: Inside;
  innerType?: Inside;
  options?: Inside[];
  keyType?: Inside;
  valueType?: Inside;
}
interface Inside extends z.ZodMiniType {
  _zod: z.ZodMiniType["_zod"] & { def: Def };
}

/** A string or list of params: where it stands, and its schema. */
interface Leaf {
  readonly place: string;
  readonly kind: "string" | "array";
  readonly schema: Inside;
}

/** What the client sends: params of its requests, results of the daemon's. */
const SENT = Object.entries(METHOD_SCHEMAS)
  .map(([key, { params, result }]): [string, Inside] => [
    key,
    (METHODS[key as keyof typeof METHODS].direction === "to-client" ? result : params) as Inside,
  ])
  .concat([["grantCredit", grantCreditParamsSchema as Inside]]);

/** Bounded by the message that carries them: docs/protocol.md §1. */
const BY_MESSAGE = /^addUserMessage\.(text|(images|files)\[\]\.(data|parsedData))$/;

/** A value whose whole JSON is bounded needs no bound inside. */
const hasJsonBound = (schema: Inside) => schema.safeParse(TOO_MUCH_JSON).error?.issues.some(isBound) === true;
const TOO_MUCH_JSON = { type: "json_schema", schema: {}, platform: "x", junk: "x".repeat(1_000_000) };
const isBound = ({ message }: { message: string }) => /JsonChars\)$/.test(message);

function leavesOf(place: string, schema: Inside, leaves: Leaf[] = []): Leaf[] {
  const { def } = schema._zod;
  if (def.type === "string") leaves.push({ place, kind: "string", schema });
  if (def.type === "array") leaves.push({ place, kind: "array", schema });
  if ((def.type === "object" || def.type === "record") && hasJsonBound(schema)) return leaves;
  for (const [key, inner] of Object.entries(def.shape ?? {})) leavesOf(`${place}.${key}`, inner, leaves);
  if (def.element && !isListOfJson(schema)) leavesOf(`${place}[]`, def.element, leaves);
  for (const inner of [def.innerType, def.keyType, def.valueType]) if (inner) leavesOf(place, inner, leaves);
  for (const inner of def.options ?? []) leavesOf(place, inner, leaves);
  return leaves;
}

/** A list of tags or servers is bounded by the JSON of the whole list. */
function isListOfJson(schema: Inside): boolean {
  const tag = { name: "x".repeat(1_000_000) };
  const server = { ...tag, command: "x", args: [] };
  return [[tag], [server]].some((list) => schema.safeParse(list).error?.issues.some(isBound) === true);
}

const LEAVES = SENT.flatMap(([key, schema]) => leavesOf(key, schema)).filter(({ place }) => !BY_MESSAGE.test(place));
const BOUNDS: readonly number[] = Object.values(TEXT_LIMITS);

describe("bounds of what a client sends", () => {
  test.each(LEAVES.filter(({ kind }) => kind === "string"))("$place has a bound, and takes as much", ({ schema }) => {
    const longest = Math.max(...BOUNDS.filter((bound) => schema.safeParse("x".repeat(bound)).success));
    const { error } = schema.safeParse("x".repeat(longest + 1));
    expect(error?.issues[0]?.message, "names the bound and both numbers").toMatch(
      new RegExp(`^${longest + 1} characters are too many, ${longest} are the limit \\(\\w+\\)$`),
    );
  });

  test("every list has a bound", () => {
    const most = Math.max(TEXT_LIMITS.listedFiles, TEXT_LIMITS.listedItems);
    const unbounded = LEAVES.filter(({ kind, schema }) => {
      if (kind !== "array" || isListOfJson(schema)) return false;
      const { error } = schema.safeParse(Array.from({ length: most + 1 }, () => "x"));
      return !error?.issues.some(({ code }) => code === "too_big");
    });
    expect(unbounded.map(({ place }) => place)).toEqual([]);
  });

  test("the table of docs/protocol.md is that of the schemas", () => {
    const text = readFileSync(new URL("../../../../docs/protocol.md", import.meta.url), "utf8");
    const rows = [...text.matchAll(/^\| `(\w+)` \| ([\d ]+) \|/gm)].map(([, name, value]) => [
      name,
      Number(value?.replaceAll(" ", "")),
    ]);
    expect(Object.fromEntries(rows)).toEqual(TEXT_LIMITS);
  });
});
