import { ConnectionError } from "@daemon-sdk/protocol";
import {
  AuthorizationError,
  PermissionViolationError,
  RequestError,
  UserAuthenticationExpiredError,
} from "@nats-io/nats-core";

/**
 * The error for what NATS refuses from now on: a subject, or the connection as a whole. The client gives up a connection only when the
 * server refuses its credentials repeatedly; the cause that it states may be the end of a socket all the same.
 */
export function natsRefusal(cause: Error): ConnectionError {
  return new ConnectionError("AUTH_REJECTED", `NATS refuses the credentials: ${cause.message}.`, { cause });
}

/** Whether NATS refuses the credentials: at all, since they expired, or for a subject that their permissions do not name. */
export function isRefusal(cause: unknown): boolean {
  if (cause instanceof RequestError) return isRefusal(cause.cause);
  return (
    cause instanceof AuthorizationError ||
    cause instanceof UserAuthenticationExpiredError ||
    cause instanceof PermissionViolationError
  );
}
