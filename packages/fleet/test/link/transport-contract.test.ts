import { runTransportContract, type TransportPair } from "@daemon-sdk/testing";
import type { NatsConnection } from "@nats-io/nats-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LinkRouter } from "../../src/link/index.js";
import { randomToken, Subjects } from "../../src/names/index.js";
import { openNats } from "../../src/nats/index.js";
import { CuttablePort, HAS_NATS, NatsServer, NO_NATS } from "../support/nats-server.js";

const bounds = { highWaterBytes: 64 * 1024, maxMessageBytes: 256 * 1024 };
const subjects = new Subjects("t");

describe.skipIf(!HAS_NATS)(`links over NATS keep the transport contract${NO_NATS}`, () => {
  let server: NatsServer;
  let wire: CuttablePort;
  let near: NatsConnection;
  let far: NatsConnection;
  let routers: { readonly near: LinkRouter; readonly far: LinkRouter };

  beforeAll(async () => {
    server = await NatsServer.start();
    wire = await CuttablePort.open(server.port);
    near = await openNats({ servers: wire.url }, { name: "near" });
    far = await openNats({ servers: server.url }, { name: "far" });
    const link = { ...bounds, beatMs: 200 };
    routers = {
      near: new LinkRouter({ nats: near, subjects, prefix: subjects.client("near"), link }),
      far: new LinkRouter({ nats: far, subjects, prefix: subjects.client("far"), link }),
    };
    await Promise.all([near.flush(), far.flush()]);
  });
  afterAll(async () => {
    for (const router of Object.values(routers)) router.close();
    await Promise.all([near.close(), far.close()]);
    await wire[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  async function connect(): Promise<TransportPair> {
    if (routers.near.isAway) await reconnected(near);
    // The server knows the subscription again.
    await near.flush();
    const token = randomToken();
    const ends = {
      near: routers.near.open(token, routers.far.subjectOf(token)),
      far: routers.far.open(token, routers.near.subjectOf(token)),
    };
    return { ...ends, cut: () => wire.cut() };
  }

  describe("sent by the one side", () => {
    runTransportContract(test, { ...bounds, connect });
  });
  describe("sent by the other side", () => {
    runTransportContract(test, {
      ...bounds,
      async connect() {
        const { near, far, cut } = await connect();
        return { near: far, far: near, cut };
      },
    });
  });

  test("no link is kept after its end", () => {
    expect([routers.near.size, routers.far.size]).toEqual([0, 0]);
  });
});

async function reconnected(nats: NatsConnection): Promise<void> {
  for await (const { type } of nats.status()) if (type === "reconnect") return;
}
