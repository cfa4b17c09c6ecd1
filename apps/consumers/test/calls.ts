import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Requests that a fake service got, and what waits for them. */
export class Calls<Call> {
  readonly #calls: Call[] = [];
  readonly #waiting = new Set<() => void>();

  get all(): readonly Call[] {
    return this.#calls;
  }

  push(call: Call): void {
    this.#calls.push(call);
    for (const look of this.#waiting) look();
  }

  /** Resolves with the first call that matches, as soon as there is one. */
  until(matches: (call: Call) => boolean): Promise<Call> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.#calls.find(matches);
        if (found === undefined) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }
}

/** A service on this machine that answers each request by a function of its path and its body. */
export async function startService(answer: (path: string, body: string) => object): Promise<Server & { url: string }> {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    response.setHeader("content-type", "application/json").end(JSON.stringify(answer(request.url ?? "", body)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(server, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}
