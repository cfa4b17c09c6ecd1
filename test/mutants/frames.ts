import type { Frame, SinfulWire } from "./sinful-daemon.js";

/** Whether it is a request of that method, named without its prefix. */
export function isCall(frame: Frame, method: string): boolean {
  return frame.type === "request" && frame.method === `daemon.${method}`;
}

/** Whether it is the result of such a request. */
export function isResultOf(frame: Frame, wire: SinfulWire, method: string): boolean {
  return frame.result !== undefined && wire.requestOf(frame)?.method === `daemon.${method}`;
}

/** Whether it refuses such a request with that code. */
export function refusedOf(frame: Frame, wire: SinfulWire, method: string, code: number): boolean {
  return frame.error?.code === code && wire.requestOf(frame)?.method === `daemon.${method}`;
}

/** The frame of a refusal as a result. */
export function acceptedInstead({ error: _refusal, ...frame }: Frame, result: Record<string, unknown>): Frame {
  return { ...frame, result };
}

/** The frame with another result, where it is the result of such a request. */
export function withResult(
  frame: Frame,
  wire: SinfulWire,
  method: string,
  change: (result: Record<string, unknown>) => Record<string, unknown>,
): Frame {
  const { result } = frame;
  return result && isResultOf(frame, wire, method) ? { ...frame, result: change(result) } : frame;
}

/** Fields of a notification; empty for other frames. */
export function toldIn(frame: Frame): Record<string, unknown> {
  return frame.params?.notification ?? {};
}

/** Whether it is a notification of that type. */
export function tells(frame: Frame, type: string): boolean {
  return frame.params?.notification?.type === type;
}

/** The frame with another notification. */
export function withNotification(frame: Frame, change: (told: Record<string, unknown>) => object): Frame {
  const { notification } = frame.params ?? {};
  if (notification === undefined) return frame;
  return { ...frame, params: { ...frame.params, notification: { type: notification.type, ...change(notification) } } };
}
