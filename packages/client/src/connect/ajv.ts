import type { CompileJsonSchema } from "../base/index.js";

const NEWER_DRAFTS = /\/draft\/20(19-09|20-12)\//;

/** The part of the optional package `ajv` that is used. */
interface AjvLike {
  compile(schema: object): ((value: unknown) => unknown) & { errors?: unknown };
  errorsText(errors: unknown, options: { dataVar: string }): string;
}

/** Loads `ajv`; undefined where the application has not installed it. */
export async function loadAjv(): Promise<CompileJsonSchema | undefined> {
  const loaded = await Promise.all([import("ajv"), import("ajv/dist/2020.js")]).catch(() => undefined);
  if (loaded === undefined) return undefined;
  const [draft07, draft2020] = loaded.map(ajvOf);
  return (schema) => {
    const ajv = (NEWER_DRAFTS.test(String(schema.$schema)) ? draft2020 : draft07) as AjvLike;
    const check = ajv.compile(schema);
    return (value) => (check(value) === true ? undefined : ajv.errorsText(check.errors, { dataVar: "" }));
  };
}

/** `ajv` is CommonJS: how deep its default export is nested depends on the loader. */
function ajvOf(module: unknown): AjvLike {
  let exported: unknown = module;
  while (typeof exported !== "function") exported = Reflect.get(Object(exported), "default");
  // Keywords of other dialects, and formats, are not checked.
  return new (exported as new (options: object) => AjvLike)({
    strict: false,
    validateFormats: false,
    logger: false,
    addUsedSchema: false,
  });
}
