import type { CompileJsonSchema } from "../base/index.js";

const NEWER_DRAFTS = /\/draft\/20(19-09|20-12)\//;

/** The part of the optional package `ajv` that is used. */
interface AjvLike {
  compile(schema: object): ((value: unknown) => unknown) & { errors?: unknown };
  errorsText(errors: unknown, options: { dataVar: string }): string;
}

/** Loads `ajv`; undefined where the application has not installed it. */
export async function loadAjv(): Promise<CompileJsonSchema | undefined> {
  const [draft07, draft2020] = (await loadDrafts()).map(ajvOf);
  if (draft07 === undefined) return undefined;
  return (schema) => {
    const ajv = (NEWER_DRAFTS.test(String(schema.$schema)) ? draft2020 : draft07) as AjvLike;
    const check = ajv.compile(schema);
    return (value) => (check(value) === true ? undefined : ajv.errorsText(check.errors, { dataVar: "" }));
  };
}

/** Bundlers go on without a module that is missing where its `import()` stands in a `try`, and only there. */
async function loadDrafts(): Promise<unknown[]> {
  try {
    return [await import("ajv"), await import("ajv/dist/2020.js")];
  } catch {
    return [];
  }
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
