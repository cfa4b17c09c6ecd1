import { once } from "node:events";
import net from "node:net";
import { statusOf, upgradeText } from "../../support/raw-http.js";

/** Opcodes of WebSocket frames (RFC 6455 §5.2). */
export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8 } as const;

/** One masked WebSocket frame, as clients send them; `announce` puts another length into the header. */
export function webSocketFrame(
  opcode: number,
  payload: Uint8Array,
  options: { isLast?: boolean; announce?: number } = {},
): Buffer {
  const { isLast = true, announce = payload.length } = options;
  const mask = Buffer.from([1, 2, 3, 4]);
  const header = announce < 126 ? Buffer.alloc(2) : announce < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10);
  header[0] = (isLast ? 0x80 : 0) | opcode;
  header[1] = 0x80 | (announce < 126 ? announce : announce < 65_536 ? 126 : 127);
  if (header.length === 4) header.writeUInt16BE(announce, 2);
  if (header.length === 10) header.writeBigUInt64BE(BigInt(announce), 2);
  const masked = Buffer.from(payload);
  for (let at = 0; at < masked.length; at += 1) masked[at] = (masked[at] ?? 0) ^ (mask[at % 4] ?? 0);
  return Buffer.concat([header, mask, masked]);
}

/** A socket written to by hand, which keeps what it is sent. */
export class RawSocket implements Disposable {
  readonly socket: net.Socket;
  readonly closed: Promise<unknown>;
  /** How long it took from the connection to its end, or to the close frame that says it. */
  readonly lifeMs: Promise<number>;
  #heard = Buffer.alloc(0);

  constructor(address: net.NetConnectOpts) {
    this.socket = net.connect(address);
    const started = performance.now();
    this.socket.on("error", () => {});
    this.socket.on("data", (chunk) => {
      this.#heard = Buffer.concat([this.#heard, chunk]);
    });
    this.closed = once(this.socket, "close");
    const told = new Promise<void>((resolve) => {
      this.socket.on("data", () => {
        if (this.status === 101 && this.closeCode !== undefined) resolve();
      });
    });
    this.lifeMs = Promise.race([this.closed, told]).then(() => performance.now() - started);
  }

  static async open(address: net.NetConnectOpts): Promise<RawSocket> {
    const raw = new RawSocket(address);
    await Promise.race([once(raw.socket, "connect"), raw.closed]);
    return raw;
  }

  /** Connects and upgrades to a WebSocket. */
  static async upgrade(port: number, headers: readonly (readonly [string, string])[] = []): Promise<RawSocket> {
    const raw = await RawSocket.open({ host: "127.0.0.1", port });
    raw.socket.write(upgradeText([["Host", `127.0.0.1:${port}`], ...headers]));
    while (!raw.heard.includes("\r\n\r\n")) await once(raw.socket, "data");
    return raw;
  }

  /** All that came, byte for byte. */
  get heard(): string {
    return this.#heard.toString("latin1");
  }

  /** What came after the head of the answer to the upgrade. */
  get frames(): Buffer {
    return this.#heard.subarray(this.#heard.indexOf("\r\n\r\n") + 4);
  }

  /** The status code of the answer; undefined where there was none. */
  get status(): number | undefined {
    return statusOf(this.heard);
  }

  /** The code in the close frame that came last; undefined where none came. */
  get closeCode(): number | undefined {
    for (let at = 0; at + 1 < this.frames.length; ) {
      const length = (this.frames[at + 1] ?? 0) & 0x7f;
      const header = length === 126 ? 4 : length === 127 ? 10 : 2;
      const size = length === 126 ? this.frames.readUInt16BE(at + 2) : length;
      if (((this.frames[at] ?? 0) & 0x0f) === Opcode.close) return this.frames.readUInt16BE(at + header);
      at += header + size;
    }
    return undefined;
  }

  /** Writes, and resolves when the system has the bytes or the socket has ended. */
  write(bytes: Uint8Array | string): Promise<void> {
    return new Promise((resolve) => {
      if (this.socket.destroyed) resolve();
      else this.socket.write(bytes, () => resolve());
    });
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** Says something on a socket of its own and waits until the other side ends it or has accepted an upgrade. */
export async function exchange(address: net.NetConnectOpts, text: string): Promise<RawSocket> {
  using raw = await RawSocket.open(address);
  raw.socket.on("data", () => {
    // An accepted upgrade stays open; its head is all there is to see.
    if (raw.status === 101 && raw.heard.includes("\r\n\r\n")) raw.socket.destroy();
  });
  await raw.write(text);
  await raw.closed;
  return raw;
}
