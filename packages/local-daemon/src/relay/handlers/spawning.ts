import { createEnvelope, type MessageType, type RelayEnvelope, type RelayPayloads } from "@daemon-sdk/protocol/relay";
import type { RelayPeer } from "../names/index.js";
import type { RelayHandlers, RelayServices } from "../relay-services.js";
import type { Result, SpawnManager } from "../workers/index.js";

/** The requests that only a {@link SpawnManager} can serve, each with its result (docs/wire/relay.md#spawning). */
const RESULTS = {
  SPAWN: "SPAWN_RESULT",
  RELEASE: "RELEASE_RESULT",
  SEND_INPUT: "SEND_INPUT_RESULT",
  SET_MODEL: "SET_MODEL_RESULT",
  LIST_WORKERS: "LIST_WORKERS_RESULT",
} as const satisfies Partial<Record<MessageType, MessageType>>;

type Request = keyof typeof RESULTS;
type Answer<Type extends Request> = Result<RelayPayloads[(typeof RESULTS)[Type]]>;

/** The text that old clients know (docs/wire/relay.md#error-envelopes). */
const NOT_ENABLED = "SpawnManager not enabled. Configure spawnManager: true in daemon config.";

/**
 * SPAWN, RELEASE, SEND_INPUT, SET_MODEL and LIST_WORKERS. Each is answered with a result that carries the request's id as
 * `replyTo`; without a manager with an ERROR that names the request, at once.
 */
export function spawnHandlers(
  services: Pick<RelayServices, "logger" | "onStop">,
  manager: SpawnManager | undefined,
): RelayHandlers {
  if (manager === undefined) {
    const refuse = (peer: RelayPeer, { id }: { id: string }) => peer.refuse("INTERNAL", NOT_ENABLED, { refId: id });
    return { SPAWN: refuse, RELEASE: refuse, SEND_INPUT: refuse, SET_MODEL: refuse, LIST_WORKERS: refuse };
  }
  services.onStop.push(() => manager.stop());
  const answer = answering(services);
  return {
    SPAWN: answer("SPAWN", (peer, payload) => manager.spawn(peer, payload)),
    RELEASE: answer("RELEASE", (peer, payload) => manager.release(peer, payload)),
    SEND_INPUT: answer("SEND_INPUT", (peer, payload) => manager.input(peer, payload)),
    SET_MODEL: answer("SET_MODEL", (peer, payload) => manager.setModel(peer, payload)),
    LIST_WORKERS: answer("LIST_WORKERS", async () => ({ workers: manager.list() })),
  };
}

function answering({ logger }: Pick<RelayServices, "logger">) {
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
