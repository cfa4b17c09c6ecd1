/** A link of its own over HTTP/2: keeps the transport's contract, and carries a session with a daemon that this program runs. */
import { once } from "node:events";
import { type ClientHttp2Session, connect, createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { connectDaemon } from "@daemon-sdk/client";
import { createDaemon, PERSON } from "@daemon-sdk/local-daemon/server";
import { LineSplitter, type Transport, type TransportClose } from "@daemon-sdk/protocol";
import { transportContract } from "@daemon-sdk/testing";

const bounds = { highWaterBytes: 64 * 1024, maxMessageBytes: 16 * 1024 * 1024 };
const CUT = { clean: false, code: 1006, reason: "" };

/** Lines of JSON over one stream of HTTP/2, as in docs/transports.md over a socket. */
class LineTransport implements Transport {
  bufferedBytes = 0;
  onWritable: (() => void) | undefined;
  onClose: ((event: TransportClose) => void) | undefined;
  #handler: ((text: string) => void) | undefined;
  #phase: "open" | "closing" | "ended" = "open";
  #owesWritable = false;
  #hasHungUp = false;

  constructor(readonly socket: Duplex) {
    socket.on("error", () => {}); // "close" follows, and reports the end.
    socket.once("close", () => this.#end(CUT));
  }

  get onMessage() {
    return this.#handler;
  }

  // T9: the socket is not read before a handler is set.
  set onMessage(handler: ((text: string) => void) | undefined) {
    this.#handler = handler;
    this.#read();
  }

  send(text: string): boolean {
    if (this.#phase !== "open") return false; // T6
    const line = `${JSON.stringify(text)}\n`;
    const bytes = Buffer.byteLength(line);
    this.bufferedBytes += bytes;
    this.socket.write(line, () => this.#written(bytes));
    if (this.bufferedBytes < bounds.highWaterBytes) return true;
    this.#owesWritable = true; // T7: the message is accepted all the same.
    return false;
  }

  close(code = 1000, reason = ""): void {
    if (this.#phase !== "open") return;
    this.#phase = "closing";
    this.#hangUp(code, reason); // T4: after the messages sent before.
    this.#read(); // The answer has to be read, also without a handler.
  }

  terminate(): void {
    this.#end(CUT);
    this.socket.destroy(); // T5: the peer sees an end without a close.
  }

  #written(bytes: number): void {
    if (this.#phase === "ended") return;
    this.bufferedBytes -= bytes; // T8
    if (!this.#owesWritable || this.#phase !== "open" || this.bufferedBytes >= bounds.highWaterBytes) return;
    this.#owesWritable = false;
    this.#call(this.onWritable, undefined);
  }

  #read(): void {
    if (this.socket.listenerCount("data") > 0) return;
    const maxLineBytes = bounds.maxMessageBytes * 6 + 2; // A control character takes six bytes as JSON, the quotes two.
    const lines = new LineSplitter({ maxLineBytes, onLine: (line) => this.#take(line), onError: () => this.#refuse() });
    this.socket.on("data", (piece: Buffer) => lines.push(piece));
  }

  #take(line: string): void {
    if (this.#phase === "ended") return; // T3
    const word: unknown = JSON.parse(line);
    if (Array.isArray(word)) this.#peerClosed(Number(word[0]), String(word[1]));
    else if (Buffer.byteLength(String(word)) > bounds.maxMessageBytes) this.#refuse();
    else this.#call(this.#handler, String(word));
  }

  #peerClosed(code: number, reason: string): void {
    this.#hangUp(code, "");
    this.#end({ clean: code < 1002 || code >= 3000, code, reason });
  }

  #refuse(): void {
    this.#hangUp(1009, ""); // T11: keep reading and discard, or the peer may never get the close.
    this.#end({ clean: false, code: 1009, reason: "" });
  }

  #hangUp(code: number, reason: string): void {
    if (this.#hasHungUp) return;
    this.#hasHungUp = true;
    this.socket.end(`${JSON.stringify([code, reason])}\n`);
    const timer = setTimeout(() => this.socket.destroy(), 2000); // A peer that never answers is cut.
    this.socket.once("close", () => clearTimeout(timer));
  }

  #end(event: TransportClose): void {
    if (this.#phase === "ended") return; // T3
    this.#phase = "ended";
    this.bufferedBytes = 0;
    queueMicrotask(() => this.#call(this.onClose, event)); // T2
  }

  // T10
  #call<Value>(handler: ((value: Value) => void) | undefined, value: Value): void {
    try {
      handler?.(value);
    } catch (error) {
      console.error("A handler threw; the link goes on.", error instanceof RangeError ? error.message : error);
    }
  }
}

const daemon = await createDaemon({ stateDir: false });
const server = createServer().listen(0, "127.0.0.1");
await once(server, "listening");
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const sessions = new Set<ClientHttp2Session>();

/** Opens a stream. Resolves once the server has answered. */
async function dial(path: string): Promise<Duplex> {
  const session = connect(address).on("error", () => {});
  sessions.add(session);
  const stream = session.request({ ":method": "POST", ":path": path });
  await once(stream, "response");
  return stream;
}

server.on("stream", (stream, { ":path": path }) => {
  stream.respond({ ":status": 200 });
  if (path === "/daemon") void daemon.accept(new LineTransport(stream), PERSON);
});

for (const { id, run } of transportContract) {
  await run({
    ...bounds,
    async connect() {
      const accepting = once(server, "stream");
      const near = new LineTransport(await dial("/contract"));
      const [accepted] = (await accepting) as [ServerHttp2Stream];
      return { near, far: new LineTransport(accepted), cut: () => accepted.destroy() };
    },
  });
  console.log(`kept ${id}`);
}

const transport = async () => new LineTransport(await dial("/daemon"));
const connection = await connectDaemon({ url: address, transport, apiKey: "none" });
const { text } = await connection.run("say Over HTTP/2.");
console.log(text);
await connection.close();
for (const session of sessions) session.destroy();
server.close();
await daemon.close();
