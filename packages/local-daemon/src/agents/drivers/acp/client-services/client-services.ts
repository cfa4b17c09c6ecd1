import { isRecord, ProtocolError, RpcCode } from "@daemon-sdk/protocol";
import type { AcpRequest, JsonRpcPeer } from "../json-rpc-peer.js";
import { ClientFiles, type ClientFilesOptions } from "./client-files.js";
import { ClientTerminals, type ClientTerminalsOptions } from "./client-terminals.js";

/** Options of {@link ClientServices}. */
export interface ClientServicesOptions {
  readonly peer: JsonRpcPeer;
  /** Absent: no files are offered. */
  readonly files: ClientFilesOptions | undefined;
  /** Absent: no terminals are offered. */
  readonly terminals: ClientTerminalsOptions | undefined;
  agentSessionId(): string;
}

type Serve = (params: Readonly<Record<string, unknown>>) => Promise<object> | object;

/** A file, or a session, that is not there (docs/wire/acp.md#errors). */
const NOT_FOUND = -32_002;

/** The calls of an agent on files and terminals of its client, where the agent's configuration offers them (`fs`, `terminal`). */
export class ClientServices {
  readonly #options: ClientServicesOptions;
  readonly #servers = new Map<string, Serve>();
  readonly #terminals: ClientTerminals | undefined;

  constructor(options: ClientServicesOptions) {
    this.#options = options;
    if (options.files !== undefined) this.#serveFiles(new ClientFiles(options.files));
    if (options.terminals === undefined) return;
    this.#terminals = new ClientTerminals(options.terminals);
    this.#serveTerminals(this.#terminals);
  }

  /** Takes a request of the agent; false when it is none of these, or is not offered. */
  ask({ id, method, params }: AcpRequest): boolean {
    const serve = this.#servers.get(method);
    if (serve === undefined) return false;
    void this.#serve(id, params, serve);
    return true;
  }

  /** The turn, or the agent, has ended. Resolves when no command is left. */
  async endTurn(): Promise<void> {
    await this.#terminals?.endAll();
  }

  async #serve(id: AcpRequest["id"], params: AcpRequest["params"], serve: Serve): Promise<void> {
    const { peer, agentSessionId } = this.#options;
    try {
      if (params.sessionId !== agentSessionId()) throw new ProtocolError("INVALID_PARAMS", "No such session.");
      peer.respond(id, await serve(params));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      peer.refuse(id, codeOf(error), message);
    }
  }

  #serveFiles(files: ClientFiles): void {
    this.#servers.set("fs/read_text_file", (params) => files.read(params));
    this.#servers.set("fs/write_text_file", (params) => files.write(params));
  }

  #serveTerminals(terminals: ClientTerminals): void {
    this.#servers.set("terminal/create", (params) => terminals.create(params));
    this.#servers.set("terminal/output", (params) => terminals.output(params));
    this.#servers.set("terminal/wait_for_exit", (params) => terminals.waitForExit(params));
    this.#servers.set("terminal/kill", (params) => terminals.kill(params));
    this.#servers.set("terminal/release", (params) => terminals.release(params));
  }
}

function codeOf(error: unknown): number {
  if (error instanceof ProtocolError) return RpcCode.invalidParams;
  return isRecord(error) && error.code === "ENOENT" ? NOT_FOUND : RpcCode.internalError;
}
