import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { CALL_TEXT } from "./payload.mjs";

/** Its server is a child process of the client, over stdio: the transport that agents use. */
export async function serve() {
  return fileURLToPath(new URL("mcp-server.mjs", import.meta.url));
}

export async function connect(program) {
  const client = new Client({ name: "bench", version: "1.0.0" });
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [program] }));
  return {
    call: () => client.callTool({ name: "echo", arguments: { text: CALL_TEXT } }),
    close: () => client.close(),
  };
}
