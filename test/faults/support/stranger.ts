import { createHash } from "node:crypto";
import net from "node:net";

/** Headers of a message, by their lower-case names. */
export type Headers = Readonly<Record<string, string>>;

/** A stranger on a port: answers each upgrade with headers of its choice, and keeps all that it is sent. */
export interface Stranger extends AsyncDisposable {
  readonly port: number;
  /** All it was sent, upgrade requests included. */
  heard(): string;
  /** All that came after an upgrade request, once its connections have ended. */
  content(): Promise<string>;
}

/** Opens a stranger's port. */
export async function openStranger(answer: (request: Headers) => Headers | Promise<Headers>): Promise<Stranger> {
  let heard = "";
  let content = "";
  const closed: Promise<unknown>[] = [];
  const server = net.createServer((socket) => {
    let head = "";
    let isOpen = false;
    socket.on("error", () => {});
    closed.push(new Promise((resolve) => socket.on("close", resolve)));
    socket.on("data", async (chunk) => {
      const text = chunk.toString("latin1");
      heard += text;
      if (isOpen) {
        content += text;
        return;
      }
      head += text;
      if (!head.includes("\r\n\r\n")) return;
      isOpen = true;
      content += head.slice(head.indexOf("\r\n\r\n") + 4);
      const request = headersOf(head);
      socket.write(acceptance(request, await answer(request)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    heard: () => heard,
    async content() {
      await Promise.all(closed);
      return content;
    },
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function acceptance(request: Headers, more: Headers): string {
  const key = request["sec-websocket-key"];
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  const fixed = { upgrade: "websocket", connection: "Upgrade", "sec-websocket-accept": accept };
  const lines = Object.entries({ ...fixed, ...more }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 101 Hello\r\n${lines.join("")}\r\n`;
}

function headersOf(request: string): Headers {
  const lines = request.slice(0, request.indexOf("\r\n\r\n")).split("\r\n").slice(1);
  const pairs = lines.map((line) => [line.split(":")[0]?.toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]);
  return Object.fromEntries(pairs) as Headers;
}
