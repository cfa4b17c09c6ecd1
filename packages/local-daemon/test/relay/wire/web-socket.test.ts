import { createEnvelope, type Envelope, encodeFrame, FrameParser } from "@daemon-sdk/protocol/relay";
import { type ByteLink, dialBytes } from "@daemon-sdk/transport-ws";
import { describe, expect, test } from "vitest";
import { createNonce, createProof, PROOF_HEADERS, tcpAuthority } from "../../../src/access/proof.js";

import { resolveLocalAuthToken } from "../../../src/rendezvous/auth-token.js";
import { readEndpoint } from "../../../src/rendezvous/endpoint-file.js";
import { ticketFrom, tokenOf } from "../person-ticket.js";
import { RelayDaemon, type Seen, sendOf } from "../relay-daemon.js";

/** A peer on a WebSocket: frames in binary messages. */
class WebPeer {
  readonly seen: Seen[] = [];
  readonly #link: ByteLink;
  #waiters: { isMet(): boolean; resolve(): void }[] = [];
  isEnded = false;

  constructor(link: ByteLink) {
    this.#link = link;
    const parser = new FrameParser({ onFrame: (envelope) => this.seen.push(envelope as Seen), onError: () => {} });
    link.start({
      onBytes: (chunk) => {
        parser.push(chunk);
        this.#check();
      },
      onEnded: () => {
        this.isEnded = true;
        this.#check();
      },
    });
  }

  /** Each byte a message of its own: borders of messages mean nothing. */
  writeInPieces(envelope: Envelope<object>): void {
    for (const byte of encodeFrame(envelope)) this.#link.send(new Uint8Array([byte]));
  }

  write(...envelopes: Envelope<object>[]): void {
    this.#link.send(Buffer.concat(envelopes.map((envelope) => encodeFrame(envelope))));
  }

  async next(type: string): Promise<Seen> {
    await this.when(() => this.seen.some((envelope) => envelope.type === type));
    return this.seen.find((envelope) => envelope.type === type) as Seen;
  }

  when(isMet: () => boolean): Promise<void> {
    if (isMet()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ isMet, resolve }));
  }

  close(): void {
    this.#link.destroy();
  }

  #check(): void {
    for (const { isMet, resolve } of this.#waiters) if (isMet()) resolve();
  }
}

const hello = (agent: string, payload: object = {}) => createEnvelope("HELLO", { agent, ...payload });
const API_KEY = "a-key-of-this-test";

/** Connects over TCP, with the headers that let a client prove itself; returns the proof to say in HELLO. */
async function dialTcp(daemon: RelayDaemon): Promise<{ peer: WebPeer; proof: string }> {
  const { port = 0, instanceId, version } = daemon.endpoint;
  const clientNonce = createNonce();
  let serverNonce = "";
  const link = await dialBytes(`ws://127.0.0.1:${port}/relay`, {
    headers: { [PROOF_HEADERS.clientNonce]: clientNonce },
    onUpgrade: (headers) => {
      serverNonce = headers.get(PROOF_HEADERS.serverNonce) ?? "";
    },
  });
  const token = (await resolveLocalAuthToken({ stateDir: daemon.stateDir })) ?? "";
  const context = { version, instanceId, clientNonce, serverNonce, authority: tcpAuthority(port) };
  return { peer: new WebPeer(link), proof: createProof(token, "client", context) };
}

describe("/relay", () => {
  test("on the unix socket carries the same stream of frames, however it is cut into messages", async () => {
    await using daemon = await RelayDaemon.start();
    const bob = await daemon.connect("Bob");
    const endpoint = await readEndpoint(daemon.stateDir);
    const page = new WebPeer(await dialBytes(`ws+unix://${endpoint?.socket}:/relay`));
    page.writeInPieces(hello("Page"));
    await page.next("WELCOME");
    page.write(sendOf("Bob", "1"), sendOf("Bob", "2"));
    await bob.next("DELIVER", 2);
    expect(bob.all("DELIVER").map(({ from, payload }) => [from, payload.body])).toEqual([
      ["Page", "1"],
      ["Page", "2"],
    ]);
    bob.send("Page", "back");
    expect((await page.next("DELIVER")).payload.body).toBe("back");
    page.write(createEnvelope("BYE", {}));
    await page.when(() => page.isEnded);
    expect(page.seen.at(-1)?.type).toBe("BYE");
  });

  test("on TCP answers no query before HELLO", async () => {
    await using daemon = await RelayDaemon.start({ port: 0, relayAccess: "open" });
    const { peer } = await dialTcp(daemon);
    const status = createEnvelope("STATUS", {});
    peer.write(status);
    expect((await peer.next("ERROR")).payload).toMatchObject({ message: "Not in ACTIVE state", ref_id: status.id });
    peer.close();
  });

  test("on TCP takes a HELLO that proves it knows the token, for that very connection", async () => {
    await using daemon = await RelayDaemon.start({ port: 0 });
    const first = await dialTcp(daemon);
    first.peer.write(hello("Remote", { proof: first.proof }));
    await first.peer.next("WELCOME");
    const second = await dialTcp(daemon);
    second.peer.write(hello("Thief", { proof: first.proof }));
    await second.peer.when(() => second.peer.isEnded);
    expect(second.peer.seen.map(({ type, payload }) => payload.code ?? type)).toEqual(["UNAUTHORIZED", "BYE"]);
    first.peer.close();
  });

  test("on TCP takes a ticket of the person's once, and refuses a key, a ticket of a key's, any other, and none", async () => {
    await using daemon = await RelayDaemon.start({ port: 0, apiKeys: [API_KEY] });
    const ticket = await ticketFrom(daemon, { token: await tokenOf(daemon) });
    const page = await dialTcp(daemon);
    page.peer.write(hello("Page", { ticket }));
    await page.peer.next("WELCOME");
    page.peer.close();
    const keysTicket = await ticketFrom(daemon, { apiKey: API_KEY });
    const refused = [{ ticket }, { ticket: API_KEY }, { ticket: keysTicket }, { ticket: await tokenOf(daemon) }];
    for (const payload of [...refused, {}, { ticket: "made-up" }, { proof: "x" }, { _isSystemComponent: true }]) {
      const { peer } = await dialTcp(daemon);
      peer.write(hello("Stranger", payload));
      await peer.when(() => peer.isEnded);
      expect(peer.seen[0]?.payload).toMatchObject({ code: "UNAUTHORIZED", fatal: true });
    }
  });

  test("a reserved name goes to a part of the system that proves itself", async () => {
    await using daemon = await RelayDaemon.start({ port: 0 });
    const { peer, proof } = await dialTcp(daemon);
    peer.write(hello("Dashboard", { proof, _isSystemComponent: true }));
    await peer.next("WELCOME");
    expect(peer.seen.map(({ type }) => type)).toEqual(["WELCOME"]);
    peer.close();
  });
});
