import { ConnectionError, type Logger, type OpenConsoleResult } from "@daemon-sdk/protocol";
import type { Credentials, Principal } from "../access/index.js";
import type { Listener } from "../listener/index.js";
import { type ConsoleFile, readConsoleFiles } from "./console-files.js";
import { CONSOLE_PATH, ConsoleSite } from "./console-site.js";
import { MachineLinks } from "./machine-links.js";
import type { FleetForConsole } from "./shown-fleet.js";

/** Options of {@link createConsole}. */
export interface ConsoleOptions {
  /** Undefined where the daemon does not listen at all. */
  listener(): Listener | undefined;
  readonly credentials: Credentials;
  readonly logger: Logger;
  /** The fleet whose machines the console shows, as it is now. Default: none. */
  fleet?(): FleetForConsole | undefined;
  /** From accept to an accepted credential, of links to other machines. */
  readonly authenticateMs: number;
  /** The port is open, which may be one for the console alone. */
  onPort?(port: number): Promise<void>;
  /** Default: those of the installed package. */
  readFiles?(): Promise<ReadonlyMap<string, ConsoleFile>>;
}

/** The console of one daemon. Nothing of it is served until {@link Console.open} is called for the first time. */
export interface Console {
  /**
   * Serves the console, and makes a link that opens it once, with the rights of the principal.
   *
   * Rejects with `LOCAL_DAEMON_UNAVAILABLE` where the console is not installed, with `CONNECTION_FAILED` where the daemon does not
   * listen, with `QUEUE_FULL` as `create_ticket` does.
   */
  open(principal: Principal): Promise<OpenConsoleResult>;
  /** Closes the links of pages to other machines. */
  close(): void;
}

/** Makes the console of a daemon. Its files are read at the first link. */
export function createConsole({
  listener,
  credentials,
  logger,
  authenticateMs,
  fleet = () => undefined,
  readFiles = readConsoleFiles,
  onPort = async () => {},
}: ConsoleOptions): Console {
  let opening: Promise<number> | undefined;
  const links = new MachineLinks({ credentials, logger, authenticateMs });
  const openSite = async (): Promise<number> => {
    const listening = listener();
    if (listening === undefined)
      throw new ConnectionError(
        "CONNECTION_FAILED",
        "A daemon within a program serves no console: it listens nowhere.",
      );
    const files = await readFiles();
    const port = await listening.openSite(new ConsoleSite({ files, credentials, links, fleet, logger }));
    await onPort(port);
    logger.info({ port }, "the console is served");
    return port;
  };
  return {
    async open(principal) {
      opening ??= openSite();
      const port = await opening.catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
      const { ticket, expiresAt } = credentials.tickets.create(principal);
      // In the fragment, which no browser sends anywhere and no server can log.
      return { url: `http://127.0.0.1:${port}${CONSOLE_PATH}#ticket=${ticket}`, expiresAt };
    },
    close: () => links.close(),
  };
}
