import { approximateBytes, EventQueue } from "../base/index.js";
import type { ConnectionStatus, StatusEvents } from "./status-events.js";

/** The present status first, then every change; ends after `disconnected`. Each call gives its own iterator. */
export function iterateStatus(events: StatusEvents): AsyncIterableIterator<ConnectionStatus> {
  const queue = new EventQueue<ConnectionStatus>({ sizeOf: approximateBytes });
  const push = (status: ConnectionStatus) => {
    queue.push(status);
    if (status.type === "disconnected") queue.end();
  };
  const stop = events.listen(push);
  if (events.last !== undefined) push(events.last);
  const leave = (): Promise<IteratorResult<ConnectionStatus, undefined>> => {
    stop();
    queue.discard();
    return Promise.resolve({ value: undefined, done: true });
  };
  return {
    next: () => queue.next(),
    return: leave,
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
