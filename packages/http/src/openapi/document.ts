import { ROUTES, type Route } from "../routes/index.js";
import { componentId, componentSchemas, jsonSchemaOf, PROBLEM, type Schema } from "../schemas/index.js";

/** The OpenAPI 3.1 document of the gateway, made from the schemas that check its requests. */
export function openApiDocument(serverUrl = "/"): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of ROUTES) {
    const path = paths[route.path] ?? {};
    paths[route.path] = path;
    path[route.method] = operationOf(route);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "daemon-sdk HTTP API",
      version: "1",
      description: "Sessions of coding agents: prompts, events, questions and webhooks.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: serverUrl }],
    security: [{ bearer: [] }],
    paths,
    components: {
      schemas: componentSchemas(),
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
      responses: {
        Problem: {
          description: "Failed. `code` is stable; docs/errors.md lists all of them.",
          content: { "application/problem+json": { schema: schemaOf(PROBLEM) } },
        },
      },
    },
  };
}

function operationOf({ operationId, summary, path, query, headers = {}, body, answers }: Route): object {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const parameters = [
    ...names.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } })),
    ...Object.entries(query).map(([name, schema]) => parameterOf(name, schema)),
    ...Object.entries(headers).map(([name, description]) => {
      return { name, in: "header", required: false, description, schema: { type: "string" } };
    }),
  ];
  return {
    operationId,
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: contentOf(body) } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, { description, schema, mediaType }]) => [
          status,
          { description, ...(schema === undefined ? {} : { content: contentOf(schema, mediaType) }) },
        ]),
      ),
      default: { $ref: "#/components/responses/Problem" },
    },
  };
}

function parameterOf(name: string, schema: Schema): object {
  const { description, ...rest } = jsonSchemaOf(schema);
  const required = !isOptional(schema);
  return { name, in: "query", required, ...(description === undefined ? {} : { description }), schema: rest };
}

function isOptional(schema: Schema): boolean {
  return schema._zod.optin === "optional";
}

function contentOf(schema: Schema, mediaType = "application/json"): object {
  return { [mediaType]: { schema: schemaOf(schema) } };
}

function schemaOf(schema: Schema): object {
  const id = componentId(schema);
  return id === undefined ? jsonSchemaOf(schema) : { $ref: `#/components/schemas/${id}` };
}
