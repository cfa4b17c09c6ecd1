import {
  type ArrivalChanges,
  type ArrivalState,
  DaemonError,
  type FleetMoves,
  isRecord,
  type LeaveOrder,
  type LeavingSession,
  type Logger,
  type MoveOrder,
  type MoveState,
  ProtocolEngine,
  RpcCode,
  RpcFault,
  SessionMovedError,
  type SessionPiece,
  type StageOrder,
  type Transport,
} from "@daemon-sdk/protocol";
import { FLEET_LIMITS } from "../limits/index.js";

/** Params of every request of a move's link. */
interface MoveParams {
  readonly order?: unknown;
  readonly cursor?: unknown;
  readonly piece?: unknown;
  readonly changes?: unknown;
}

/** What serves each method. Whoever has the link acts for the person whose daemon it is: params are that program's own. */
const METHODS: Readonly<
  Record<string, (moves: FleetMoves, params: MoveParams, ending: AbortSignal) => Promise<unknown>>
> = {
  move_state: (moves, { order }) => moves.state((order as MoveOrder).sessionId),
  move_leave: (moves, { order }, ending) => moves.leave(order as LeaveOrder, ending),
  move_read: (moves, { order, cursor }) => moves.read(order as MoveOrder, cursor as string | undefined),
  move_stay: (moves, { order }) => moves.stay(order as MoveOrder),
  move_forget: (moves, { order }) => moves.forget(order as MoveOrder & { to: string }),
  move_stage: (moves, { order }) => moves.stage(order as StageOrder),
  move_store: (moves, { order, piece }) => moves.store(order as MoveOrder, piece as SessionPiece),
  move_prepare: (moves, { order, changes }) => moves.prepare(order as MoveOrder, changes as ArrivalChanges),
  move_arrive: (moves, { order }) => moves.arrive(order as MoveOrder),
  move_discard: (moves, { order }) => moves.discard(order as MoveOrder),
};

/** Serves a link by which a service moves sessions, until the link ends. */
export function serveMoves(link: Transport, moves: FleetMoves, logger: Logger): void {
  const ending = new AbortController();
  const engine = new ProtocolEngine(link, { prefix: "daemon", logger });
  engine.onClose = (error) => ending.abort(error);
  engine.onRequest = async ({ method, params }) => {
    const serve = Object.hasOwn(METHODS, method) ? METHODS[method] : undefined;
    if (serve === undefined) throw new RpcFault(RpcCode.methodNotFound, `No move has the step ${method}`);
    checkOrder(params.order);
    try {
      return (await serve(moves, params, ending.signal)) ?? {};
    } catch (error) {
      throw faultOf(error);
    }
  };
}

/** A machine's part in a move, over a link to it. */
export class MoveLink implements FleetMoves {
  readonly #engine: ProtocolEngine;

  constructor(link: Transport) {
    this.#engine = new ProtocolEngine(link, { prefix: "daemon" });
  }

  close(): void {
    this.#engine.close();
  }

  state(sessionId: string): Promise<MoveState> {
    return this.#call("move_state", { order: { sessionId, moveId: "" } });
  }

  /** Takes as long as the running turn. */
  leave(order: LeaveOrder): Promise<LeavingSession> {
    return this.#call("move_leave", { order }, 0);
  }

  read(order: MoveOrder, cursor: string | undefined): Promise<SessionPiece> {
    return this.#call("move_read", { order, cursor });
  }

  stay(order: MoveOrder): Promise<void> {
    return this.#call("move_stay", { order });
  }

  forget(order: MoveOrder & { readonly to: string }): Promise<void> {
    return this.#call("move_forget", { order });
  }

  stage(order: StageOrder): Promise<ArrivalState> {
    return this.#call("move_stage", { order });
  }

  store(order: MoveOrder & { readonly cursor?: string | undefined }, piece: SessionPiece): Promise<ArrivalState> {
    return this.#call("move_store", { order, piece });
  }

  prepare(order: MoveOrder & Pick<StageOrder, "isDecided">, changes: ArrivalChanges): Promise<void> {
    return this.#call("move_prepare", { order, changes });
  }

  arrive(order: MoveOrder): Promise<void> {
    return this.#call("move_arrive", { order });
  }

  discard(order: MoveOrder): Promise<void> {
    return this.#call("move_discard", { order });
  }

  /** The other end is a daemon of the fleet: its answers are what its methods promise. */
  async #call<Result>(method: string, params: object, timeoutMs: number = FLEET_LIMITS.moveTimeoutMs): Promise<Result> {
    return (await this.#engine.requestNamed(method, { ...params }, { timeoutMs })) as Result;
  }
}

function checkOrder(order: unknown): void {
  if (isRecord(order) && typeof order.sessionId === "string" && typeof order.moveId === "string") return;
  throw new RpcFault(RpcCode.invalidParams, "A move names its session and itself");
}

function faultOf(error: unknown): Error {
  if (!DaemonError.is(error)) return error as Error;
  const { code, retryable, message } = error;
  const moved = SessionMovedError.is(error) ? { machineId: error.machineId } : {};
  const number = code === "SESSION_NOT_FOUND" ? RpcCode.entityNotFound : RpcCode.internalError;
  return new RpcFault(number, message, { code, retryable, ...moved });
}
