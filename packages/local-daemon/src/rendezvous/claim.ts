import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Logger, newId } from "@daemon-sdk/protocol";
import { failpoint } from "../failpoint.js";
import { LOCAL_DAEMON_VERSION } from "../version.js";
import { readEndpoint, writeEndpoint } from "./endpoint-file.js";
import { moveFormerState } from "./former-state.js";
import { lockStateDir } from "./lock-state-dir.js";
import { DEFAULT_PROGRAM, writeOwner } from "./owner-file.js";
import { storageFailure } from "./private-file.js";
import type { InstanceLock } from "./single-instance.js";
import {
  type FileIdentity,
  openSocketPaths,
  publishSocket,
  type SocketPaths,
  sweepLeftovers,
  unlinkIfSame,
} from "./socket-path.js";
import { openStateDir, resolveStateDir, STATE_FILES } from "./state-dir.js";
import { createToken, readToken, writeToken } from "./token.js";

/** What is published in addition to the socket. */
export interface Published {
  readonly port?: number | undefined;
  /** The program that runs the daemon; default the one that any client may start. */
  readonly program?: string | undefined;
}

/** A state directory that belongs to this daemon until it is released. */
export interface Claim {
  readonly stateDir: string;
  /** Id of this start of the daemon; a UUID. */
  readonly instanceId: string;
  /** The local token, new at every start. */
  readonly token: string;
  readonly databasePath: string;
  readonly searchPath: string;
  /**
   * Whether an earlier daemon ended without releasing its claim, because it was killed or the machine went down. Only then can
   * its agents still run. Published files are removed only by a daemon that has ended everything else.
   */
  readonly wasAbandoned: boolean;
  /** Bind the unix socket here; {@link publish} renames it to the name that clients use. */
  readonly privateSocketPath: string;
  /** Where this daemon listens for the next ones when it holds agents for them. */
  readonly holderSocketPath: string;
  /** The name that clients use, once published. */
  readonly socketPath: string;
  /** Makes the daemon findable: token, socket, endpoint file, in this order, each in one step. Call it when ready to serve. */
  publish(endpoint: Published): Promise<void>;
  /** States the port, which may have been opened after {@link publish}. */
  publishPort(port: number | undefined): Promise<void>;
  /** Removes our published files and releases the lock. Close the store before: the next daemon may start at once. */
  release(): Promise<void>;
}

/**
 * Makes this process the one daemon of a state directory.
 *
 * Rejects with `STATE_DIR_UNSAFE`, `DAEMON_ALREADY_RUNNING`, `STORAGE_FULL` or `STORAGE_FAILED`; nothing is held then.
 * Files of a dead daemon are replaced or removed.
 */
export async function claimStateDir(options: { stateDir?: string | undefined; logger: Logger }): Promise<Claim> {
  const stateDir = await openStateDir(options.stateDir ?? resolveStateDir());
  failpoint("state-dir-opened");
  const lock = await lockStateDir(stateDir);
  try {
    failpoint("locked");
    await moveFormerState(stateDir, options.logger);
    const instanceId = newId();
    const paths = await openSocketPaths(stateDir, instanceId);
    failpoint("socket-named");
    const swept = await sweepLeftovers(stateDir, paths);
    failpoint("leftovers-swept");
    if (swept.length > 0) options.logger.info({ swept }, "swept what an earlier daemon left behind");
    const wasAbandoned = existsSync(join(stateDir, STATE_FILES.endpoint)) || existsSync(paths.published);
    return new StateDirClaim({ stateDir, instanceId, paths, lock, wasAbandoned });
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** What a {@link Claim} is for a daemon without a state directory. */
export interface Unclaimed
  extends Pick<Claim, "instanceId" | "token" | "searchPath" | "wasAbandoned" | "publish" | "publishPort" | "release"> {
  readonly stateDir: undefined;
  readonly databasePath: undefined;
  readonly privateSocketPath: undefined;
  readonly holderSocketPath: undefined;
  readonly socketPath: undefined;
}

/** Holds nothing: nobody can find this daemon, and no later daemon finds what it leaves. */
export function unclaimed(): Unclaimed {
  return {
    stateDir: undefined,
    instanceId: newId(),
    token: createToken(),
    databasePath: undefined,
    searchPath: ":memory:",
    wasAbandoned: false,
    privateSocketPath: undefined,
    holderSocketPath: undefined,
    socketPath: undefined,
    publish: async () => {},
    publishPort: async () => {},
    release: async () => {},
  };
}

interface ClaimParts extends Pick<Claim, "stateDir" | "instanceId" | "wasAbandoned"> {
  readonly paths: SocketPaths;
  readonly lock: InstanceLock;
}

class StateDirClaim implements Claim {
  readonly stateDir: string;
  readonly instanceId: string;
  readonly wasAbandoned: boolean;
  readonly token = createToken();
  readonly #paths: SocketPaths;
  readonly #lock: InstanceLock;
  #published: FileIdentity | undefined;
  #released: Promise<void> | undefined;

  constructor(parts: ClaimParts) {
    this.stateDir = parts.stateDir;
    this.wasAbandoned = parts.wasAbandoned;
    this.instanceId = parts.instanceId;
    this.#paths = parts.paths;
    this.#lock = parts.lock;
  }

  get databasePath(): string {
    return join(this.stateDir, STATE_FILES.database);
  }

  get searchPath(): string {
    return join(this.stateDir, STATE_FILES.search);
  }

  get privateSocketPath(): string {
    return this.#paths.private;
  }

  get holderSocketPath(): string {
    return this.#paths.holder;
  }

  get socketPath(): string {
    return this.#paths.published;
  }

  async publish(endpoint: Published): Promise<void> {
    // A reader between two of these steps gets a failed proof and retries. It never gets a daemon that does not listen.
    failpoint("publishing");
    await writeOwner(this.stateDir, endpoint.program ?? DEFAULT_PROGRAM);
    await writeToken(this.stateDir, this.token);
    failpoint("token-written");
    try {
      this.#published = await publishSocket(this.#paths);
    } catch (cause) {
      throw storageFailure("publish the socket", this.#paths.published, cause);
    }
    failpoint("socket-published");
    await this.publishPort(endpoint.port);
    failpoint("endpoint-written");
  }

  async publishPort(port: number | undefined): Promise<void> {
    await writeEndpoint(this.stateDir, {
      socket: this.#paths.published,
      port,
      pid: process.pid,
      startTime: new Date(performance.timeOrigin).toISOString(),
      instanceId: this.instanceId,
      version: LOCAL_DAEMON_VERSION,
    });
  }

  release(): Promise<void> {
    this.#released ??= this.#withdraw().finally(() => this.#lock.release());
    return this.#released;
  }

  async #withdraw(): Promise<void> {
    failpoint("withdrawing");
    const endpoint = await readEndpoint(this.stateDir);
    if (endpoint?.instanceId === this.instanceId) await remove(join(this.stateDir, STATE_FILES.endpoint));
    failpoint("endpoint-withdrawn");
    if ((await readToken(this.stateDir)) === this.token) await remove(join(this.stateDir, STATE_FILES.token));
    failpoint("token-withdrawn");
    if (this.#published !== undefined) await unlinkIfSame(this.#paths.published, this.#published);
    await remove(this.#paths.private);
    failpoint("socket-withdrawn");
  }
}

/** Removes a file. A failure must not prevent the end, because the next start replaces the file. */
async function remove(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => {});
}
