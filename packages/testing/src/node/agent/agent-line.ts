import { FACTORY_API_VERSION, JSONRPC_VERSION, newId } from "@daemon-sdk/protocol";
import { violated, type WireFrame } from "../../contract/index.js";
import { ProcessLines } from "./process-lines.js";

/** The daemon's side of one agent process of the session wire. It stores all received frames, and sends nothing by itself. */
export class AgentLine extends ProcessLines<WireFrame> {
  send(body: object): void {
    this.writeRaw(JSON.stringify({ jsonrpc: JSONRPC_VERSION, factoryApiVersion: FACTORY_API_VERSION, ...body }));
  }

  /** Sends a request and returns its id at once. */
  request(method: string, params: object): string {
    const id = newId();
    this.send({ type: "request", id, method: `droid.${method}`, params });
    return id;
  }

  response(id: string, what: string): Promise<WireFrame> {
    return this.waitFor((frame) => frame.type === "response" && frame.id === id, what);
  }

  call(method: string, params: object): Promise<WireFrame> {
    return this.response(this.request(method, params), `the response to ${method}`);
  }

  /** Calls and returns the result. An error response fails the case. */
  async result(method: string, params: object): Promise<Readonly<Record<string, unknown>>> {
    const { result, error } = await this.call(method, params);
    return result ?? violated(`${method} failed: ${JSON.stringify(error)}`);
  }
}
