/** Makes the check of one JSON Schema: of a value, what is wrong with it, or undefined. Throws for a schema that is none. */
export type CompileJsonSchema = (schema: Record<string, unknown>) => (value: unknown) => string | undefined;

/** Loads the library that checks JSON Schemas; undefined where it is not installed. */
export type LoadJsonSchema = () => Promise<CompileJsonSchema | undefined>;
