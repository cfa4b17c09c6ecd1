export * from "./bodies.js";
export { componentId, componentSchemas, jsonSchemaOf, type Schema } from "./components.js";
