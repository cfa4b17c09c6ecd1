import type { IncomingMessage, ServerResponse } from "node:http";
import { DaemonError, isRecord, type Logger } from "@daemon-sdk/protocol";
import type { Credentials, Principal } from "../access/index.js";
import { SERVING_LIMITS } from "../limits/index.js";
import type { Accepted, PageSite } from "../listener/index.js";
import type { ConsoleFile } from "./console-files.js";
import { FLEET_CALLS, type FleetCall } from "./fleet-calls.js";
import type { MachineLinks } from "./machine-links.js";
import type { FleetForConsole } from "./shown-fleet.js";

/** Where the console is served. */
export const CONSOLE_PATH = "/console/";

/** Where a page opens a link to another machine of the fleet. */
const MACHINE_PATH = /^\/console\/machines\/([A-Za-z0-9_-]{1,64})$/;

/** Options of {@link ConsoleSite}. */
export interface ConsoleSiteOptions {
  readonly files: ReadonlyMap<string, ConsoleFile>;
  readonly credentials: Credentials;
  readonly links: MachineLinks;
  /** The fleet of this daemon as it is now; undefined: the console shows this machine only. */
  fleet(): FleetForConsole | undefined;
  readonly logger: Logger;
}

/**
 * The console over HTTP: its files, which hold nothing of the user's, and its calls. `POST tab` exchanges a ticket for the credential
 * of a tab, `POST ticket` makes the ticket of one connection for such a credential. `POST fleet` and what is below it show the other
 * machines to a tab of the person; below `machines/` are the links to them.
 */
export class ConsoleSite implements PageSite {
  readonly path = CONSOLE_PATH;
  readonly #options: ConsoleSiteOptions;

  constructor(options: ConsoleSiteOptions) {
    this.#options = options;
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? "";
    const name = url.slice(CONSOLE_PATH.length).split("?")[0] ?? "";
    for (const [header, value] of Object.entries(headersOf(request))) response.setHeader(header, value);
    if (!url.startsWith(CONSOLE_PATH)) end(response, 308, undefined, { location: CONSOLE_PATH });
    else if (request.method === "GET" || request.method === "HEAD") this.#sendFile(name, response);
    else if (!isOwnCall(request)) end(response, 403, { error: "Only the console itself may ask this." });
    else void this.#call(`${request.method} ${name}`, request, response);
  }

  hasSocketAt(url: string): boolean {
    return MACHINE_PATH.test(url) && this.#options.fleet() !== undefined;
  }

  accept(url: string, accepted: Accepted): void {
    const machineId = MACHINE_PATH.exec(url)?.[1];
    const fleet = this.#options.fleet();
    if (machineId === undefined || fleet === undefined) accepted.transport.terminate();
    else this.#options.links.accept(accepted, { machineId, fleet });
  }

  #sendFile(name: string, response: ServerResponse): void {
    const file = this.#options.files.get(name);
    if (file === undefined) {
      end(response, 404, { error: "The console has no such file." });
      return;
    }
    const caching = file.isVersioned ? "private, max-age=31536000, immutable" : "no-store";
    response.writeHead(200, {
      "content-type": file.type,
      "content-length": file.body.length,
      "cache-control": caching,
    });
    response.end(file.body);
  }

  async #call(call: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { credentials } = this.#options;
    switch (call) {
      case "POST tab": {
        const { ticket } = await readBody(request);
        const principal = typeof ticket === "string" ? credentials.tickets.redeem(ticket) : undefined;
        if (principal === undefined) return this.#refuse(response);
        return end(response, 200, credentials.tabs.create(principal));
      }
      case "POST ticket": {
        const principal = credentials.tabs.use(bearerOf(request));
        if (principal === undefined) return this.#refuse(response);
        return this.#makeTicket(() => credentials.tickets.create(principal), response);
      }
      case "DELETE tab":
        credentials.tabs.end(bearerOf(request));
        return end(response, 204);
      default: {
        const fleetCall = FLEET_CALLS.get(call.replace("POST ", ""));
        if (fleetCall === undefined) return end(response, 404, { error: "The console has no such call." });
        const principal = credentials.tabs.use(bearerOf(request));
        if (principal === undefined) return this.#refuse(response);
        return this.#callFleet(principal, fleetCall, request, response);
      }
    }
  }

  async #callFleet(
    principal: Principal,
    call: FleetCall,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const fleet = this.#options.fleet();
    if (fleet === undefined) return end(response, 204);
    // Other machines know the service of this daemon, and no key of this daemon: what a key may do cannot be kept there.
    if (principal.keyId !== undefined) return end(response, 403, { error: "The fleet is shown to the person only." });
    try {
      end(response, 200, await call(fleet, await readBody(request)));
    } catch (error) {
      const { code, message } = DaemonError.is(error)
        ? error
        : { code: "INTERNAL", message: "The fleet could not be asked." };
      this.#options.logger.warn({ code, error: String(error) }, "a call of the console to the fleet failed");
      end(response, 502, { code, error: message });
    }
  }

  #makeTicket(make: () => object, response: ServerResponse): void {
    try {
      end(response, 200, make());
    } catch (error) {
      end(response, 429, { error: error instanceof Error ? error.message : String(error) });
    }
  }

  #refuse(response: ServerResponse): void {
    this.#options.logger.warn({}, "a credential of the console was refused");
    end(response, 401, { error: 'The link was used, or is too old. Make a new one with "local-daemon open".' });
  }
}

/**
 * What the browser lets the page do: run its own scripts and styles, and connect to this daemon. No other address is loaded from or
 * connected to, no page frames it, and no text becomes HTML.
 */
function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const self = `'self' ws://${headers.host} wss://${headers.host}`;
  return {
    "content-security-policy": [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self'",
      `connect-src ${self}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ].join("; "),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), usb=(), payment=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
  };
}

/** A page of another origin cannot send JSON without a preflight, and a browser says where a request comes from. */
function isOwnCall({ headers }: IncomingMessage): boolean {
  const site = headers["sec-fetch-site"];
  return headers["content-type"] === "application/json" && (site === undefined || site === "same-origin");
}

function bearerOf({ headers }: IncomingMessage): string {
  return /^Bearer (\S{1,128})$/.exec(headers.authorization ?? "")?.[1] ?? "";
}

/** Empty for a body that is cut off, too long, or no object of JSON: it has nothing that a call could use. */
async function readBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  let text = "";
  try {
    for await (const chunk of request.setEncoding("utf8")) {
      text += String(chunk);
      if (text.length > SERVING_LIMITS.consoleBodyBytes) return {};
    }
    const body: unknown = JSON.parse(text);
    return isRecord(body) ? body : {};
  } catch {
    return {};
  }
}

function end(response: ServerResponse, status: number, body?: object, headers: Record<string, string> = {}): void {
  const text = body === undefined ? "" : `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    ...(body === undefined ? {} : { "content-type": "application/json; charset=utf-8" }),
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
    ...headers,
  });
  response.end(text);
}
