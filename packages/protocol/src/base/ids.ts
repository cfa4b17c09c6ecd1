import { v4 } from "uuid";

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
  return v4() as Id;
}
