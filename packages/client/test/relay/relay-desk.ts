import { afterEach, beforeEach, vi } from "vitest";
import { RelayClient, type RelayClientOptions, type RelayMessage } from "../../src/relay/index.js";
import { type HubLink, TinyHub, type WelcomeOptions } from "./tiny-hub.js";

/** For each test of a file: a hub, and clients that end with the test. */
export class RelayDesk {
  hub!: TinyHub;
  #clients: RelayClient[] = [];

  constructor() {
    beforeEach(async () => {
      this.hub = await TinyHub.open();
    });
    afterEach(async () => {
      vi.useRealTimers();
      const closing = this.#clients.splice(0).map((client) => client.close());
      await this.hub[Symbol.asyncDispose]();
      await Promise.all(closing);
    });
  }

  makeClient(options: RelayClientOptions = {}): RelayClient {
    const client = new RelayClient({ agentName: "Alice", socketPath: this.hub.socketPath, ...options });
    this.#clients.push(client);
    return client;
  }

  async connect(
    options: RelayClientOptions = {},
    welcome: WelcomeOptions = {},
  ): Promise<{ client: RelayClient; link: HubLink; hello: Record<string, unknown> }> {
    const client = this.makeClient(options);
    const connected = client.connect();
    const { link, hello } = await this.comeBack(welcome);
    await connected;
    return { client, link, hello };
  }

  /** Takes a client in, also one that comes back after its link was cut. */
  async comeBack(welcome: WelcomeOptions = {}): Promise<{ link: HubLink; hello: Record<string, unknown> }> {
    const link = await this.hub.link();
    const hello = (await link.next("HELLO")).payload;
    link.welcome(welcome);
    return { link, hello };
  }
}

/** The next so many messages. */
export async function take(messages: AsyncIterator<RelayMessage>, count: number): Promise<RelayMessage[]> {
  const taken: RelayMessage[] = [];
  while (taken.length < count) taken.push((await messages.next()).value as RelayMessage);
  return taken;
}
