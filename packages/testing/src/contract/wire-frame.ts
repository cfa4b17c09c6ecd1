/** A received frame of the session wire, parsed and otherwise unchanged. */
export interface WireFrame {
  readonly jsonrpc?: unknown;
  readonly factoryApiVersion?: unknown;
  readonly factoryProtocolVersion?: unknown;
  readonly type?: string;
  readonly id?: string | null;
  readonly method?: string;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data?: Readonly<Record<string, unknown>>;
  };
  readonly params?: Readonly<Record<string, unknown>> & { readonly notification?: WireNotification };
  readonly _meta?: { readonly epoch?: number; readonly seq?: number; readonly early?: boolean };
}

/** The `notification` of a `session_notification`. */
export type WireNotification = Readonly<Record<string, unknown>> & { readonly type: string };

/** A position in a journal, as on the wire. */
export interface WirePosition {
  readonly epoch: number;
  readonly seq: number;
}

/** The id of the session to which a frame belongs, if any. */
export function sessionIdOf(frame: WireFrame): unknown {
  return frame.params?.sessionId;
}

/** Whether the frame is an entry of that session's journal: a notification or a server request. */
export function isEntryOf(sessionId: string, frame: WireFrame): boolean {
  const isEntry = frame.type === "request" || frame.method === "daemon.session_notification";
  return isEntry && sessionIdOf(frame) === sessionId;
}

/** Whether the frame is a notification of that type. */
export function isNotification(frame: WireFrame, type: string): boolean {
  return frame.params?.notification?.type === type;
}

/** Whether the frame ends the turn of that message. */
export function isEndOf(messageId: string, frame: WireFrame): boolean {
  return isNotification(frame, "agent_turn_completed") && frame.params?.notification?.turnId === messageId;
}

/** A short name of an entry, for readable comparisons: a type, `state:…`, or a method. */
export function wordFor(frame: WireFrame): string {
  const notification = frame.params?.notification;
  if (notification?.type === "droid_working_state_changed") return `state:${String(notification.newState)}`;
  return notification?.type ?? frame.method ?? frame.type ?? "?";
}

/** `count` positions after `start`. */
export function runFrom(start: WirePosition | undefined, count: number): WirePosition[] {
  const { epoch = -1, seq = -1 } = start ?? {};
  return Array.from({ length: count }, (_, index) => ({ epoch, seq: seq + 1 + index }));
}

/** The position of an entry. */
export function bare(meta: WireFrame["_meta"]): WirePosition {
  return { epoch: meta?.epoch ?? -1, seq: meta?.seq ?? -1 };
}
