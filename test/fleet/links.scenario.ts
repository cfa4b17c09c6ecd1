import { runTransportContract, type TransportPair } from "@daemon-sdk/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LinkRouter } from "../../packages/fleet/src/link/index.js";
import { randomToken, Subjects } from "../../packages/fleet/src/names/index.js";
import { openNats } from "../../packages/fleet/src/nats/index.js";
import { CuttablePort } from "../../packages/fleet/test/support/nats-server.js";
import { openPlace, PLACES, type Place } from "./places.js";

type NatsConnection = Awaited<ReturnType<typeof openNats>>;

const bounds = { highWaterBytes: 64 * 1024, maxMessageBytes: 256 * 1024 };
const subjects = new Subjects("t");

describe.each(PLACES)("links %s", (where) => {
  let place: Place;
  let wire: CuttablePort;
  let near: NatsConnection;
  let far: NatsConnection;
  let routers: { readonly near: LinkRouter; readonly far: LinkRouter };

  beforeAll(async () => {
    place = await openPlace(where);
    wire = await CuttablePort.open(place.machine.port);
    near = await openNats({ servers: wire.url }, { name: "near" });
    far = await openNats(place.service, { name: "far" });
    const link = { ...bounds, beatMs: 200 };
    routers = {
      near: new LinkRouter({
        nats: near,
        subjects,
        prefix: subjects.client({ client: "near", instance: "i" }),
        link,
        onOther,
      }),
      far: new LinkRouter({
        nats: far,
        subjects,
        prefix: subjects.client({ client: "far", instance: "i" }),
        link,
        onOther,
      }),
    };
  });
  afterAll(async () => {
    for (const router of Object.values(routers)) router.close();
    await Promise.all([near.close(), far.close()]);
    await wire[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  /** A subscription is known elsewhere in the cluster a moment later than at its own server. */
  async function settled(): Promise<void> {
    const isKnown = (from: NatsConnection, name: string) =>
      from.request(`${subjects.client({ client: name, instance: "i" })}.ping`).then(
        () => true,
        () => false,
      );
    await expect.poll(() => isKnown(near, "far"), { interval: 10 }).toBe(true);
    await expect.poll(() => isKnown(far, "near"), { interval: 10 }).toBe(true);
  }

  async function connect(): Promise<TransportPair> {
    if (routers.near.isAway) {
      for await (const { type } of near.status()) if (type === "reconnect") break;
    }
    await near.flush();
    await settled();
    const token = randomToken();
    const ends = {
      near: routers.near.open(token, routers.far.subjectOf(token)),
      far: routers.far.open(token, routers.near.subjectOf(token)),
    };
    return { ...ends, cut: () => wire.cut() };
  }

  runTransportContract(test, { ...bounds, connect });
});

/** Answers {@link settled}. */
function onOther(message: { respond(): unknown }): void {
  message.respond();
}
