import type { EventPosition } from "@daemon-sdk/client";

/** A webhook, as it is stored: whose it is, what it gets, and how far it got. */
export interface WebhookCursor {
  readonly webhookId: string;
  readonly principalId: string;
  readonly url: string;
  readonly sessionId: string;
  /** Types of events; `requests` stands for the pending requests. */
  readonly events: readonly string[];
  /** Signs the deliveries: `whsec_` and 32 bytes in base64. */
  readonly secret: string;
  /** Unix milliseconds. */
  readonly createdAt: number;
  /** Events up to here are delivered, or are not wanted. */
  readonly position: EventPosition;
  /** Unix milliseconds of the first failure since the last delivery. */
  readonly failingSince?: number;
}

/**
 * Where webhooks are kept, so that a restart loses none. `fileCursors` is one; a service with a database has another. One process at
 * a time delivers the webhooks of a store; two deliver each event twice.
 */
export interface WebhookCursors {
  /** All of them, of every principal. */
  list(): Promise<readonly WebhookCursor[]>;
  /** Adds or replaces one. Resolves when it survives a crash. */
  put(cursor: WebhookCursor): Promise<void>;
  /** Removes one; nothing happens where there is none. */
  remove(webhookId: string): Promise<void>;
}
