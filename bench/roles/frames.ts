/** Text of one delta, as long as a token or two; the whole frame then has about 300 bytes. */
const TEXT = " token by token ";

/** One text delta as a wire frame of about 300 bytes. */
export function deltaFrame(prefix: "daemon" | "droid", sessionId: string, meta = ""): string {
  return (
    `{"jsonrpc":"2.0","factoryApiVersion":"1.0.0","type":"notification",${meta}` +
    `"method":"${prefix}.session_notification","params":{"sessionId":"${sessionId}",` +
    `"notification":{"type":"assistant_text_delta","messageId":"m-1","blockIndex":0,"textDelta":"${TEXT}"}}}`
  );
}

/** A response frame. */
export function resultFrame(id: unknown, result: object): string {
  return JSON.stringify({ jsonrpc: "2.0", factoryApiVersion: "1.0.0", type: "response", id, result });
}

/** A notification frame in a session. */
export function notificationFrame(prefix: "daemon" | "droid", sessionId: string, notification: object): string {
  const method = `${prefix}.session_notification`;
  const params = { sessionId, notification };
  return JSON.stringify({ jsonrpc: "2.0", factoryApiVersion: "1.0.0", type: "notification", method, params });
}

/** A request as it comes in, as far as the bench's own parts look at it. */
export interface Incoming {
  readonly id?: string;
  readonly method?: string;
  readonly params?: { readonly [key: string]: unknown };
}
