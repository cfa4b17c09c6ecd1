import { isRecord, type Logger, ProtocolEngine, RpcCode, RpcFault, type Transport } from "@daemon-sdk/protocol";
import type { LeaveOrder, Left } from "./leave-order.js";

/** Version of the calls of this door. */
export const DOOR_VERSION = 1;

/** Calls at the door, which a new daemon and the command line use. */
export const DOOR_CALLS = { handOver: "hand_over", stop: "stop" } as const;

/** A link at the door, whose peer has not shown that it has the token. */
export interface DoorLink {
  readonly transport: Transport;
  verifyProof(proof: string): boolean;
  markAuthenticated(): void;
}

/** Options of {@link HandOverDoor}. */
export interface HandOverDoorOptions {
  readonly logger: Logger;
  /** From accept to the one call that a link has. */
  readonly authenticateMs: number;
  /** Hands over, or stops. Rejects when that is impossible, and the daemon goes on. */
  leave(order: LeaveOrder): Promise<Left>;
}

/**
 * Where a new daemon of the same user asks this one to hand over, and the command line asks it to stop by a deadline: at
 * `/hand-over` of the unix socket, with a proof of the token, one call per link.
 *
 * The link stays open until the new daemon serves. When it ends before, this daemon goes on.
 */
export class HandOverDoor {
  readonly #options: HandOverDoorOptions;

  constructor(options: HandOverDoorOptions) {
    this.#options = options;
  }

  accept({ transport, verifyProof, markAuthenticated }: DoorLink): void {
    const { logger, authenticateMs } = this.#options;
    const engine = new ProtocolEngine(transport, { prefix: "daemon", logger });
    const timer = setTimeout(() => engine.close(), authenticateMs);
    const gone = new Promise<void>((resolve) => {
      engine.onClose = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    engine.onRequest = async ({ method, params }) => {
      if (typeof params.proof !== "string" || !verifyProof(params.proof)) {
        throw new RpcFault(RpcCode.authentication, "This needs a proof of the local token.");
      }
      clearTimeout(timer);
      markAuthenticated();
      return this.#leave(method, params, gone);
    };
  }

  async #leave(method: string, params: Record<string, unknown>, gone: Promise<void>): Promise<Left> {
    const isStop = method === DOOR_CALLS.stop;
    if (!isStop && method !== DOOR_CALLS.handOver) throw new RpcFault(RpcCode.methodNotFound, "Method not found");
    const { waitMs, to } = params;
    if (!isStop && params.version !== DOOR_VERSION) {
      throw new RpcFault(RpcCode.invalidParams, `This daemon hands over by version ${DOOR_VERSION} of its door only.`);
    }
    try {
      return await this.#options.leave({
        ...{ isStop, gone },
        to: typeof to === "string" ? to : undefined,
        waitMs: isWait(waitMs) ? waitMs : undefined,
      });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new RpcFault(RpcCode.internalError, message);
    }
  }
}

function isWait(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && Number.isFinite(value);
}

/** Whether an answer at the door is one. */
export function isLeft(value: unknown): value is Left {
  return isRecord(value) && typeof value.instanceId === "string";
}
