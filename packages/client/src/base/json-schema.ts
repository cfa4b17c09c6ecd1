/**
 * Compiles a JSON Schema to a function that returns the faults of a value, or undefined for a valid value. Throws for an invalid
 * schema.
 */
export type CompileJsonSchema = (schema: Record<string, unknown>) => (value: unknown) => string | undefined;

/** Loads the library that checks JSON Schemas; undefined where it is not installed. */
export type LoadJsonSchema = () => Promise<CompileJsonSchema | undefined>;
