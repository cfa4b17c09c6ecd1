import { createEnvelope, type MessageType, type RelayEnvelope, type RelayPayloads } from "@daemon-sdk/protocol/relay";
import type { RelayPeer } from "../names/index.js";
import type { HandlerGroup } from "../router.js";
import type { Result, SpawnManager } from "../workers/index.js";
import type { RelayParts } from "./relay-parts.js";

/** The requests that a {@link SpawnManager} serves, each with its result (docs/wire/relay.md#spawning). */
const RESULTS = {
  SPAWN: "SPAWN_RESULT",
  RELEASE: "RELEASE_RESULT",
  SEND_INPUT: "SEND_INPUT_RESULT",
  SET_MODEL: "SET_MODEL_RESULT",
  LIST_WORKERS: "LIST_WORKERS_RESULT",
} as const satisfies Partial<Record<MessageType, MessageType>>;

type Request = keyof typeof RESULTS;
type Answer<Type extends Request> = Result<RelayPayloads[(typeof RESULTS)[Type]]>;

/** The text that clients of the original recognize (docs/wire/relay.md#error-envelopes). */
const NOT_ENABLED = "SpawnManager not enabled. Configure spawnManager: true in daemon config.";

/**
 * SPAWN, RELEASE, SEND_INPUT, SET_MODEL and LIST_WORKERS. The answer to each is a result that carries the request's id as
 * `replyTo`; without a manager it is an ERROR that names the request, at once.
 */
export function spawnHandlers(logger: RelayParts["logger"], manager: SpawnManager | undefined): HandlerGroup {
  if (manager === undefined) {
    const refuse = (peer: RelayPeer, { id }: { id: string }) => peer.refuse("INTERNAL", NOT_ENABLED, { refId: id });
    return {
      handlers: { SPAWN: refuse, RELEASE: refuse, SEND_INPUT: refuse, SET_MODEL: refuse, LIST_WORKERS: refuse },
    };
  }
  const answer = answering(logger);
  return {
    handlers: {
      SPAWN: answer("SPAWN", (peer, payload) => manager.spawn(peer, payload)),
      RELEASE: answer("RELEASE", (peer, payload) => manager.release(peer, payload)),
      SEND_INPUT: answer("SEND_INPUT", (peer, payload) => manager.input(peer, payload)),
      SET_MODEL: answer("SET_MODEL", (_peer, payload) => manager.setModel(payload)),
      LIST_WORKERS: answer("LIST_WORKERS", async () => ({ workers: manager.list() })),
    },
    onStop: () => manager.stop(),
  };
}

function answering(logger: RelayParts["logger"]) {
  return <Type extends Request>(
    type: Type,
    serve: (peer: RelayPeer, payload: RelayPayloads[Type]) => Promise<Answer<Type>>,
  ) =>
    (peer: RelayPeer, { id, payload }: RelayEnvelope<Type>): void => {
      serve(peer, payload).then(
        (result) => peer.send(createEnvelope(RESULTS[type], { replyTo: id, ...result } as never)),
        (error: unknown) => {
          logger.error({ agent: peer.name, type, error: String(error) }, "A request about workers failed.");
          peer.refuse("INTERNAL", `${type} failed: ${String(error)}`, { refId: id });
        },
      );
    };
}
