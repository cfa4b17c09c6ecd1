/** Part (a), over MCP: the published MCP server, run as an editor runs it, with our daemon behind it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Arrivals } from "./conversation.mjs";

const PROGRAM = fileURLToPath(new URL("node_modules/.bin/agent-relay-mcp", import.meta.url));

/** A client of the Model Context Protocol over stdio: one JSON-RPC message per line. */
class McpClient {
  #process;
  #answers = new Arrivals();
  #lastId = 0;
  #rest = "";

  /** The published server finds its project by a directory `.agent-relay`, and the daemon by `RELAY_SOCKET`. */
  constructor({ project, socketPath, agentName }) {
    mkdirSync(join(project, ".agent-relay"), { recursive: true });
    const { PATH } = process.env;
    const env = { PATH, HOME: project, RELAY_SOCKET: socketPath, RELAY_AGENT_NAME: agentName };
    this.#process = spawn(process.execPath, [PROGRAM, "serve"], {
      cwd: project,
      env,
      stdio: ["pipe", "pipe", "ignore"],
    });
    this.#process.stdout.setEncoding("utf8").on("data", (text) => this.#read(text));
  }

  async open() {
    const clientInfo = { name: "interop", version: "1.0.0" };
    const { serverInfo } = await this.#call("initialize", {
      protocolVersion: "2024-11-05",
      capabilities: {},
      clientInfo,
    });
    this.#write({ method: "notifications/initialized" });
    return serverInfo;
  }

  /** Calls a tool and returns its text. A tool that fails throws its text. */
  async tool(name, args = {}) {
    const { content, isError } = await this.#call("tools/call", { name, arguments: args });
    const text = content.map((part) => part.text).join("");
    if (isError) throw new Error(text);
    return text;
  }

  close() {
    this.#process.kill();
  }

  async #call(method, params) {
    const id = ++this.#lastId;
    this.#write({ id, method, params });
    const { result, error } = await this.#answers.next(`the answer to ${method}`, (answer) => answer.id === id);
    if (error !== undefined) throw new Error(error.message);
    return result;
  }

  #write(message) {
    this.#process.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  }

  #read(text) {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop();
    for (const line of lines) if (line.trim() !== "") this.#answers.push(JSON.parse(line));
  }
}

/** @param alice a published client that is connected to the same daemon */
export async function mcpChecks(checks, { alice, directory, socketPath, ownedSocketPath }) {
  const open = async (agentName, path, folder) => {
    const client = new McpClient({ project: join(directory.path, folder), socketPath: path, agentName });
    await client.open();
    return client;
  };
  const mcp = await open("Ann", socketPath, "mcp");
  const owned = await open("Ann", ownedSocketPath, "mcp-owned");
  try {
    await checks.check("mcp: status and who answer, though the server says no HELLO", async () => {
      assert.match(await mcp.tool("relay_status"), /Connected: Yes/i);
      assert.match(await mcp.tool("relay_who"), /Alice/);
    });
    await checks.check("mcp: health and metrics", async () => {
      assert.match(await mcp.tool("relay_health"), /100/);
      assert.doesNotMatch(await mcp.tool("relay_metrics"), /Failed/);
    });
    await checks.check("mcp: a send that awaits its response gets it", async () => {
      const answered = mcp.tool("relay_send", {
        to: "Alice",
        message: "ready?",
        await_response: true,
        timeout_ms: 5000,
      });
      const { id, meta, from } = await alice.hears("ready?");
      assert.equal(from, "Ann");
      const { correlationId } = meta.sync;
      alice.client.sendAck({ ack_id: id, seq: 1, correlationId, response: "OK", responseData: "as ever" });
      assert.match(await answered, /OK|as ever/);
    });
    await checks.check("mcp: a send to nobody fails at once, with our reason", async () => {
      const sent = mcp.tool("relay_send", { to: "Nobody", message: "x", await_response: true, timeout_ms: 60_000 });
      await assert.rejects(sent, /Nobody is known as/);
    });
    await checks.check("mcp: the inbox holds what was sent to its agent", async () => {
      alice.client.sendMessage("Alice", { note: ["an object"] });
      await alice.messages.next("the object", ({ body }) => body?.note?.[0] === "an object");
      alice.client.sendMessage("Ann", "for the inbox");
      await alice.client.getStatus();
      assert.match(await mcp.tool("relay_inbox", { unread_only: false }), /for the inbox/);
    });
    await checks.check("mcp: where names have owners it sees who is there, and reads no messages", async () => {
      assert.match(await owned.tool("relay_status"), /Connected: Yes/i);
      await assert.rejects(owned.tool("relay_inbox"), /Not in ACTIVE state/);
    });
  } finally {
    mcp.close();
    owned.close();
  }
}
