import { createHash } from "node:crypto";
import type { EventPosition } from "@daemon-sdk/client";
import { timeLimit } from "@daemon-sdk/protocol";
import { dataOf, eventId, type SessionNews } from "../events/index.js";
import { HTTP_LIMITS } from "../limits.js";
import type { WebhookCursor } from "./cursors.js";
import { signed } from "./signature.js";

/** The request of one delivery, without its signature: the same at each attempt. */
export interface Delivery {
  /** By which a receiver finds out that it has this one already. */
  readonly id: string;
  readonly body: string;
}

/** What became of an attempt: `gone` means that the receiver wants no more of this webhook. */
export type Attempt = "delivered" | "failed" | "gone";

/** The delivery of some news. */
export function deliveryOf({ webhookId, sessionId }: WebhookCursor, news: SessionNews, at: EventPosition): Delivery {
  const lastEventId = eventId(at);
  if (news.type === "event") {
    const { type, turnId } = news.event;
    const body = {
      type,
      sessionId,
      lastEventId,
      ...(turnId === undefined ? {} : { turnId }),
      data: dataOf(news.event),
    };
    return { id: `${webhookId}_${lastEventId}`, body: JSON.stringify(body) };
  }
  const { requests } = news;
  const digest = createHash("sha256").update(JSON.stringify(requests.map(({ requestId }) => requestId)));
  return {
    id: `${webhookId}_${lastEventId}_${digest.digest("hex").slice(0, 16)}`,
    body: JSON.stringify({ type: "requests", sessionId, lastEventId, data: { requests } }),
  };
}

/** Sends a delivery once. A redirect is a failure, because it leads to an address that nobody allowed. */
export async function attempt(cursor: WebhookCursor, { id, body }: Delivery, signal: AbortSignal): Promise<Attempt> {
  const limit = timeLimit(HTTP_LIMITS.deliveryTimeoutMs, signal);
  try {
    const response = await fetch(cursor.url, {
      method: "POST",
      redirect: "manual",
      headers: { "content-type": "application/json", ...signed(cursor.secret, id, body, Date.now()) },
      body,
      signal: limit.signal,
    });
    await response.body?.cancel();
    if (response.status === 410) return "gone";
    return response.ok ? "delivered" : "failed";
  } catch {
    return "failed";
  } finally {
    limit.end();
  }
}
