import { v4 } from "uuid";

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Names a session. Issued by the daemon (or chosen by the client as a UUID); it identifies, it does not permit. */
export type SessionId = Branded<"SessionId">;

/** Names a user message, and with it the turn that message starts. */
export type MessageId = Branded<"MessageId">;

/** Names a request that waits for its response; a UUID v4 when we make it. */
export type RequestId = Branded<"RequestId">;

/** Marks a string that came from outside as a session's id. Checks nothing: ids are opaque. */
export function sessionId(value: string): SessionId {
  return value as SessionId;
}

/** Marks a string that came from outside as a message's id. */
export function messageId(value: string): MessageId {
  return value as MessageId;
}

/** A new random id (UUID v4). Works where `crypto.randomUUID` is absent, such as plain-http pages. */
export function newId<Id extends string = string>(): Id {
  return v4() as Id;
}
