import { approximateBytes, EventQueue } from "../base/index.js";
import type { ConnectionStatus, StatusEvents } from "./status-events.js";

/** Iterates over the present status and every later change; ends after `disconnected`. Each call makes an iterator of its own. */
export function iterateStatus(events: StatusEvents): AsyncIterableIterator<ConnectionStatus> {
  const queue = new EventQueue<ConnectionStatus>({ sizeOf: approximateBytes });
  const push = (status: ConnectionStatus) => {
    queue.push(status);
    if (status.type === "disconnected") queue.end();
  };
  const stop = events.listen(push);
  if (events.last !== undefined) push(events.last);
  const stopEarly = (): Promise<IteratorResult<ConnectionStatus, undefined>> => {
    stop();
    queue.discard();
    return Promise.resolve({ value: undefined, done: true });
  };
  return {
    next: () => queue.next(),
    return: stopEarly,
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
