import type { JsonBody } from "./description/index.js";

/** The body of a message as a text, for prompts and for people: a text as it is, any other value as its JSON. */
export function bodyText(body: JsonBody): string {
  return typeof body === "string" ? body : JSON.stringify(body);
}
