import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";

/** Answers one request: its body goes out as JSON, or as an empty answer. */
export type Webhook = (body: string, headers: IncomingHttpHeaders) => Promise<object | undefined>;

/** A request without a valid signature. */
export class UnsignedError extends Error {}

const MAX_BODY_BYTES = 1024 * 1024;

/** Serves one function per path. A function that fails gives 500, and the sender repeats the request. */
export function serveWebhooks(port: number, webhooks: Readonly<Record<string, Webhook>>): Server {
  const server = createServer(async (request, response) => {
    const webhook = webhooks[request.url ?? ""];
    if (request.method !== "POST" || webhook === undefined) return response.writeHead(404).end();
    try {
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of request as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > MAX_BODY_BYTES) return response.writeHead(413, { connection: "close" }).end();
        chunks.push(chunk);
      }
      const answer = await webhook(Buffer.concat(chunks).toString("utf8"), request.headers);
      return response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
    } catch (error) {
      if (!(error instanceof UnsignedError)) console.error(error);
      return response.writeHead(error instanceof UnsignedError ? 401 : 500).end();
    }
  });
  return server.listen(port, "127.0.0.1", () => {
    const address = server.address();
    if (typeof address === "object") console.log(`listening on ${address?.port}`);
  });
}

/** Throws an {@link UnsignedError} unless `signature` is the HMAC of the text, which was signed within `maxAgeMs`. */
export function checkSignature(options: {
  secret: string;
  text: string;
  signature: string | string[] | undefined;
  signedAtMs: number;
  maxAgeMs: number;
}): void {
  const { secret, text, signature, signedAtMs, maxAgeMs } = options;
  const expected = createHmac("sha256", secret).update(text).digest();
  const given = Buffer.from(String(signature), "hex");
  const isFresh = Math.abs(Date.now() - signedAtMs) <= maxAgeMs;
  if (!isFresh || given.length !== expected.length || !timingSafeEqual(given, expected)) throw new UnsignedError();
}
