import {
  ConnectionError,
  DAEMON_ERROR_CODES,
  DaemonError,
  type DaemonErrorCode,
  isRecord,
  type Transport,
} from "@daemon-sdk/protocol";
import type { NatsConnection } from "@nats-io/nats-core";
import { FLEET_LIMITS } from "../limits/index.js";
import type { LinkRouter } from "../link/index.js";
import { type MachineInstance, randomToken, type ServiceInstance, type Subjects } from "../names/index.js";
import { isRefusal, natsRefusal } from "../nats-base/index.js";

/** What a service dials with. */
export interface Dialer {
  readonly nats: NatsConnection;
  readonly router: LinkRouter;
  readonly subjects: Subjects;
  /** The program that dials. */
  readonly self: ServiceInstance;
}

/**
 * Opens a link to one start of a machine. Rejects with what the machine refused it with; with CONNECTION_FAILED when it does not answer; with
 * AUTH_REJECTED when NATS does not let this service dial; with the reason of `signal`.
 *
 * @param purpose what the link is for; default: sessions
 */
export async function dialMachine(
  { nats, router, subjects, self }: Dialer,
  machine: MachineInstance,
  signal: AbortSignal,
  purpose?: "move",
): Promise<Transport> {
  const { machineId } = machine;
  const token = randomToken();
  const link = router.open(token, `${subjects.machine(machine)}.l.${token}`);
  const abandon = () => link.terminate();
  signal.addEventListener("abort", abandon, { once: true });
  try {
    const { client, instance } = self;
    const request = nats.request(subjects.dial(machine, client), JSON.stringify({ token, instance, purpose }), {
      timeout: FLEET_LIMITS.dialTimeoutMs,
    });
    checkAnswer(machineId, (await aborted(request, signal)).string());
    return link;
  } catch (error) {
    link.terminate();
    if (signal.aborted) throw signal.reason;
    if (isRefusal(error)) throw natsRefusal(error as Error);
    throw DaemonError.is(error) ? error : notReached(machineId, String(error), error);
  } finally {
    signal.removeEventListener("abort", abandon);
  }
}

/** The error for a machine that cannot be dialed now. */
export function notReached(machineId: string, why: string, cause?: unknown): ConnectionError {
  return new ConnectionError("CONNECTION_FAILED", `Machine ${machineId} cannot be reached: ${why}.`, { cause });
}

/** Throws what the machine refused the dial with. */
function checkAnswer(machineId: string, text: string): void {
  const answer: unknown = JSON.parse(text);
  const error = isRecord(answer) ? answer.error : undefined;
  if (!isRecord(error)) return;
  const code = typeof error.code === "string" && error.code in DAEMON_ERROR_CODES ? error.code : "INTERNAL";
  throw new ConnectionError(code as DaemonErrorCode, `Machine ${machineId} refused the link: ${String(error.message)}`);
}

/** Rejects as soon as the signal is aborted; the result of `promise` is then of no use. */
async function aborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let onAbort = () => {};
  const abort = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, abort]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    promise.catch(() => {});
  }
}
