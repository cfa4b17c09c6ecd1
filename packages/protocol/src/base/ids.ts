declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Id of a session, issued by the daemon or chosen by the client as a UUID. It identifies and is no credential. */
export type SessionId = Branded<"SessionId">;

/** Id of a user message, and of the turn that the message starts. */
export type MessageId = Branded<"MessageId">;

/** Id of a request; a UUID v4 when this project makes it. */
export type RequestId = Branded<"RequestId">;

/** Marks a string from outside as a session's id. Checks nothing: ids are opaque. */
export function sessionId(value: string): SessionId {
  return value as SessionId;
}

/** Marks a string from outside as a message's id. */
export function messageId(value: string): MessageId {
  return value as MessageId;
}

/** A new random id (UUID v4). Works where `crypto.randomUUID` is absent, such as plain-http pages. */
export function newId<Id extends string = string>(): Id {
  const { randomUUID } = crypto as Partial<typeof crypto>;
  return (randomUUID?.call(crypto) ?? uuidOf(crypto.getRandomValues(new Uint8Array(31)))) as Id;
}

/** The form of a UUID v4. Of each 0, 1 and 8 the bits that may differ are replaced: all four, all four, the lower two. */
const FORM = "10000000-1000-4000-8000-100000000000";

/** One random byte for each digit that may differ. */
function uuidOf(random: Uint8Array): string {
  let at = 0;
  return FORM.replace(/[018]/g, (digit) => (+digit ^ ((random[at++] ?? 0) & (15 >> (+digit / 4)))).toString(16));
}
