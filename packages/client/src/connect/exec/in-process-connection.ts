import { resolve } from "node:path";
import {
  DaemonConnection,
  type DaemonConnectionParts,
  DaemonSession,
  type DaemonSessionOptions,
} from "../../api/index.js";

/** The part of a daemon in this process that its connection ends. */
export interface OwnDaemon {
  close(options: { drainMs: number }): Promise<void>;
}

/** What an {@link InProcessConnection} is made of. */
export interface InProcessParts {
  readonly daemon: OwnDaemon;
  /** Agent of sessions that name none. */
  readonly agent: string | undefined;
  /** Whether its first session is all that it is for. */
  readonly isForOneSession: boolean;
}

/** A connection to a daemon in this process, which ends with it: its agents have ended when {@link close} resolves. */
export class InProcessConnection extends DaemonConnection {
  readonly #own: InProcessParts;

  constructor(parts: DaemonConnectionParts, own: InProcessParts) {
    super(parts);
    this.#own = own;
    if (own.isForOneSession) this.Session = owning(this);
    // However the connection ends, nobody else reaches that daemon.
    void this.closed.then(() => this.#end()).catch(() => {});
  }

  override createSession(options: DaemonSessionOptions = {}): Promise<DaemonSession> {
    const { agent } = this.#own;
    const cwd = resolve(options.cwd ?? ".");
    return super.createSession({ ...(agent === undefined ? {} : { agent }), ...options, cwd });
  }

  override async close(): Promise<void> {
    await super.close();
    await this.#end();
  }

  #end(): Promise<void> {
    return this.#own.daemon.close({ drainMs: 0 });
  }
}

/** The class of sessions that end this connection. Nobody could resume one after a detach, so that ends it, too. */
function owning(connection: DaemonConnection): typeof DaemonSession {
  return class extends DaemonSession {
    override async close(): Promise<void> {
      await super.close();
      await connection.close();
    }

    override detach(): Promise<void> {
      return this.close();
    }
  };
}
