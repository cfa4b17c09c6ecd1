/** The API of OpenTelemetry, an optional peer. */
export type OtelApi = typeof import("@opentelemetry/api");

/** Under which the API keeps what an SDK registers; each copy of version 1 of the API has the same. */
const REGISTRY = Symbol.for("opentelemetry.js.api.1");

/**
 * Loads the API of OpenTelemetry where an SDK was registered in this process before. Nothing is loaded elsewhere, and undefined is
 * returned: also where the package cannot be found.
 */
export async function loadOtel(): Promise<OtelApi | undefined> {
  if (!(REGISTRY in globalThis)) return undefined;
  try {
    const api = await import("@opentelemetry/api");
    // A CommonJS module may come with its names in `default` alone.
    return "trace" in api ? api : (api as { default: OtelApi }).default;
  } catch {
    return undefined;
  }
}
