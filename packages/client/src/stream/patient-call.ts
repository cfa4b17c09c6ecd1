import { ConnectionError, type Method, type ParamsOf, type ResultOf } from "@daemon-sdk/protocol";
import type { ConnectionCalls } from "../connection/index.js";

/**
 * How long the daemon is asked to wait in one call. Shorter than the 30 s after which proxies end a connection without traffic, and
 * long enough that an idle session costs two calls a minute.
 */
export const WAIT_MS = 25_000;

/**
 * Makes a call that may take as long as the connection lasts. The connection repeats a call whose link was lost, a bounded number
 * of times; this function repeats it until the connection has ended.
 */
export async function patientCall<M extends Method<object, unknown>>(
  calls: ConnectionCalls,
  method: M,
  params: ParamsOf<M>,
  signal: AbortSignal | undefined,
): Promise<ResultOf<M>> {
  for (let last: unknown; ; ) {
    try {
      return await calls.request(method, params, { timeoutMs: 0, ...(signal && { signal }) });
    } catch (error) {
      // A connection that has ended fails each call with the same error.
      if (!ConnectionError.is(error, "CONNECTION_LOST") || error === last) throw error;
      last = error;
    }
  }
}
