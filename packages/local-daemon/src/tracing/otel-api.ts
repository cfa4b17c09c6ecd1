/** The API of OpenTelemetry in a file of its own, beside the programs: see tsup.config.ts. */
export * from "@opentelemetry/api";
