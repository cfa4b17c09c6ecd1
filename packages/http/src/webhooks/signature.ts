import { createHmac, randomBytes } from "node:crypto";

const PREFIX = "whsec_";

/** A new secret of a webhook, in the form of the Standard Webhooks specification. */
export function newSecret(): string {
  return PREFIX + randomBytes(32).toString("base64");
}

/**
 * The headers that sign a delivery, as the Standard Webhooks specification defines them: HMAC-SHA256 of the id, the time and the
 * body. A receiver refuses a time that is minutes away, and an id that it has seen.
 */
export function signed(secret: string, id: string, body: string, nowMs: number): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const key = Buffer.from(secret.slice(PREFIX.length), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
}
