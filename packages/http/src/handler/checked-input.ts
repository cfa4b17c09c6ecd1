import * as z from "zod/mini";
import type { BodyPlace } from "../access/index.js";
import { HttpRefusal } from "../problem/index.js";
import type { Route } from "../routes/index.js";
import type { Schema } from "../schemas/index.js";

/** The checked query of a request. Throws the refusal that names the field. A field that the route does not have is refused. */
export function checkedQuery(route: Route, url: URL): unknown {
  const given: Record<string, string> = {};
  for (const [name, value] of url.searchParams) {
    if (Object.hasOwn(given, name)) throw invalid("query", name, "is given twice");
    if (!Object.hasOwn(route.query, name)) throw invalid("query", name, "is not a field of this route");
    given[name] = value;
  }
  return checked(z.object(route.query), given, "query");
}

/** What a body may be. */
export interface BodyBounds {
  readonly maxBytes: number;
  /** Counts the bytes that arrive. */
  readonly place: BodyPlace;
}

/** The checked body of a request; undefined for a route that takes none. */
export async function checkedBody({ body }: Route, request: Request, bounds: BodyBounds): Promise<unknown> {
  if (body === undefined) return undefined;
  const type = request.headers.get("content-type") ?? "";
  // A page of a foreign origin can send a form without being asked, but no JSON.
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new HttpRefusal(415, "INVALID_PARAMS", "The body must be JSON, with `Content-Type: application/json`.");
  }
  return checked(body, parsed(await textOf(request, bounds)), "body");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpRefusal(400, "INVALID_PARAMS", "The body is not valid JSON.");
  }
}

async function textOf(request: Request, { maxBytes, place }: BodyBounds): Promise<string> {
  const tooLarge = () =>
    new HttpRefusal(413, "MESSAGE_TOO_LARGE", `The body of a request has ${maxBytes} bytes at most.`);
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge();
  const reader = request.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let bytes = 0; reader !== undefined; ) {
    const { value, done } = await reader.read().catch(() => {
      throw new HttpRefusal(400, "INVALID_PARAMS", "The body of the request was cut off before its end.");
    });
    if (done) break;
    bytes += value.byteLength;
    try {
      if (bytes > maxBytes) throw tooLarge();
      place.add(value.byteLength);
    } catch (refusal) {
      await reader.cancel();
      throw refusal;
    }
    text += decoder.decode(value, { stream: true });
  }
  return text + decoder.decode();
}

function checked(schema: Schema, value: unknown, where: string): unknown {
  const result = z.safeParse(schema, value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw invalid(where, issue?.path.join(".") ?? "", issue?.message ?? "is not valid");
}

/** Names the field, never its value: that may be a secret. */
function invalid(where: string, field: string, problem: string): HttpRefusal {
  return new HttpRefusal(400, "INVALID_PARAMS", `${where}${field === "" ? "" : ` field \`${field}\``}: ${problem}.`);
}
