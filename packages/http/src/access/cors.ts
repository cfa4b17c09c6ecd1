/** Adds what a page of an allowed origin needs to read the answer. Without an origin, only `Vary` is set. */
export function withCors(response: Response, origin: string | undefined): Response {
  response.headers.append("vary", "Origin");
  if (origin === undefined) return response;
  response.headers.set("access-control-allow-origin", origin);
  response.headers.set("access-control-expose-headers", "Location, Retry-After");
  return response;
}

/** The answer to a preflight of an allowed origin. */
export function preflight(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": "GET, POST, PATCH, DELETE",
      "access-control-allow-headers": "Authorization, Content-Type, Idempotency-Key, Last-Event-ID",
      "access-control-max-age": "600",
    },
  });
}
