import { request } from "node:http";

/** What the daemon answers. */
export interface Answer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly text: string;
}

/** `GET /metrics` over a unix socket or a port. */
export function scrape(address: { socketPath?: string; port?: number }, key?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const asking = request({ host: "127.0.0.1", ...address, path: "/metrics", headers }, async (response) => {
      let text = "";
      for await (const chunk of response.setEncoding("utf8")) text += chunk;
      resolve({ status: response.statusCode, type: response.headers["content-type"], text });
    });
    asking.on("error", reject).end();
  });
}
