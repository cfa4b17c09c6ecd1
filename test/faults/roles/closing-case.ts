import type { DaemonSession } from "@daemon-sdk/client";

/** Where things listen that a case connects to. */
export interface Places {
  /** Takes connections and says nothing. */
  readonly silent: number;
  /** Upgrades to a WebSocket and says nothing. */
  readonly mute: number;
  /** A daemon that plays along. */
  readonly daemon: number;
  /** Nobody listens. */
  readonly nobody: number;
  /** A real daemon's socket. */
  readonly socketPath: string;
}

/** A thing brought into a state; `close` is what is measured, `after` is called with whatever it tells later. */
export interface Case {
  close(): unknown;
}

/** Brings a thing into its state; `event` is to be called with all that it tells after its close. */
export type Prepare = (places: Places, event: () => void) => Promise<Case>;

/** For what is of no interest. */
export const quiet = () => {};
/** Of a port of this computer. */
export const url = (port: number) => `ws://127.0.0.1:${port}`;

/** Waits. */
export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
/** Reads a turn. */
export const startStream = (session: DaemonSession) => {
  void (async () => {
    for await (const _event of session.stream("go", { includePartialMessages: true }));
  })().catch(quiet);
};

/** A thing whose `close` is what is measured. */
export function closing(thing: { close(): unknown }): Case {
  return { close: () => thing.close() };
}
