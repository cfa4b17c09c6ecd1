import { JSONRPC_VERSION, newId } from "@daemon-sdk/protocol";
import { violated } from "../../contract/index.js";
import { ProcessLines } from "../agent/index.js";
import type { AcpFrame } from "./acp-frame.js";

/** An id of a request. Both types are allowed, and occur. */
export type AcpId = string | number;

/** The client's side of one agent process that speaks ACP. It stores all received messages, and sends nothing by itself. */
export class AcpLine extends ProcessLines<AcpFrame> {
  /** Of the next request. Small numbers are left to cases that choose ids themselves. */
  #nextId = 100;

  send(body: object): void {
    this.writeRaw(JSON.stringify({ jsonrpc: JSONRPC_VERSION, ...body }));
  }

  notify(method: string, params: object): void {
    this.send({ method, params });
  }

  /** Sends a request and returns its id at once: a number, and a text in turns. */
  request(method: string, params: object): AcpId {
    const id = this.#nextId % 2 === 0 ? this.#nextId : newId();
    this.#nextId += 1;
    this.send({ id, method, params });
    return id;
  }

  response(id: AcpId, what: string): Promise<AcpFrame> {
    return this.waitFor((frame) => isResponse(frame, id), what);
  }

  call(method: string, params: object): Promise<AcpFrame> {
    return this.response(this.request(method, params), `the response to ${method}`);
  }

  /** Calls and returns the result. An error response fails the case. */
  async result(method: string, params: object): Promise<Readonly<Record<string, unknown>>> {
    const { result, error } = await this.call(method, params);
    if (error !== undefined) violated(`${method} failed: ${JSON.stringify(error)}`);
    return result ?? {};
  }
}

/** Whether a message answers the request of that id. The agent may use the same id for a request of its own. */
export function isResponse(frame: AcpFrame, id: AcpId): boolean {
  return frame.method === undefined && frame.id === id;
}
