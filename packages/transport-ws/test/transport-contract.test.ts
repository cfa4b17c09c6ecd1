import { runTransportContract } from "@daemon-sdk/testing";
import { afterAll, beforeAll, describe, test } from "vitest";
import { dialWebSocket as dialAsPage } from "../src/browser.js";
import { Listener } from "./connection-pair.js";
import { becomePage } from "./page-socket.js";

const bounds = { highWaterBytes: 256 * 1024, maxMessageBytes: 1024 * 1024 };

for (const via of ["tcp", "unix"] as const) {
  describe(`WebSockets over ${via} keep the transport contract`, () => {
    let listener: Listener;
    beforeAll(async () => {
      listener = await Listener.open(via, bounds);
    });
    afterAll(() => listener[Symbol.asyncDispose]());
    const cut = () => listener.cut();

    describe("sent by the client", () => {
      runTransportContract(test, {
        ...bounds,
        connect: async () => ({ ...(await listener.connect(bounds)), cut }),
      });
    });
    describe("sent by the server", () => {
      runTransportContract(test, {
        ...bounds,
        async connect() {
          const { near, far } = await listener.connect(bounds);
          return { near: far, far: near, cut };
        },
      });
    });
  });
}

describe("a page's WebSocket keeps the transport contract", () => {
  let listener: Listener;
  let page: Disposable;
  beforeAll(async () => {
    page = becomePage();
    listener = await Listener.open("tcp", bounds);
  });
  afterAll(async () => {
    page[Symbol.dispose]();
    await listener[Symbol.asyncDispose]();
  });
  const connect = async () => {
    const [page, daemon] = await Promise.all([dialAsPage(listener.url, bounds), listener.accept()]);
    return { page, daemon, cut: () => listener.cut() };
  };

  describe("sent by the page", () => {
    runTransportContract(test, {
      ...bounds,
      async connect() {
        const { page, daemon, cut } = await connect();
        return { near: page, far: daemon, cut };
      },
    });
  });
  describe("sent to the page", () => {
    runTransportContract(test, {
      ...bounds,
      async connect() {
        const { page, daemon, cut } = await connect();
        return { near: daemon, far: page, cut };
      },
    });
  });
});
