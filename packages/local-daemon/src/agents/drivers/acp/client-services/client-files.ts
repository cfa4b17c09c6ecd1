import { ProtocolError } from "@daemon-sdk/protocol";
import { AGENT_LIMITS } from "../../../../limits/index.js";
import { Workspace } from "../../../../workspace/index.js";

type Params = Readonly<Record<string, unknown>>;

/** Options of {@link ClientFiles}. */
export interface ClientFilesOptions {
  /** The session's directory: nothing outside is read or written. */
  cwd(): string;
  /** A directory that stays closed, also below the session's: the daemon's own. */
  readonly closedDirectory: string | undefined;
}

/**
 * The files that an agent reads and writes through the daemon, inside the session's directory only (docs/agents.md#agents-that-speak-acp).
 *
 * Calls are served one after the other: an agent may send the next one before the answer, and relies on their order.
 */
export class ClientFiles {
  readonly #options: ClientFilesOptions;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(options: ClientFilesOptions) {
    this.#options = options;
  }

  /** Serves `fs/read_text_file`. Rejects with INVALID_PARAMS, or with the system's error. */
  read({ path, line, limit }: Params): Promise<object> {
    return this.#inTurn(async (workspace) => {
      const bytes = await workspace.read(await workspace.resolve(absolute(path)), AGENT_LIMITS.fileBytes);
      const text = bytes.toString("utf8");
      const isPart = typeof line === "number" || typeof limit === "number";
      return { content: isPart ? linesOf(text, line, limit) : text };
    });
  }

  /** Serves `fs/write_text_file`; makes the file and the directories above it. Rejects as {@link read} does. */
  write({ path, content }: Params): Promise<object> {
    return this.#inTurn(async (workspace) => {
      if (typeof content !== "string") throw new ProtocolError("INVALID_PARAMS", "content must be a text.");
      await workspace.write(await workspace.resolve(absolute(path)), content);
      return {};
    });
  }

  #inTurn(serve: (workspace: Workspace) => Promise<object>): Promise<object> {
    if (this.#waiting >= AGENT_LIMITS.fileCalls) {
      const message = `More than ${AGENT_LIMITS.fileCalls} calls on files wait. Wait for their answers.`;
      return Promise.reject(new ProtocolError("INVALID_PARAMS", message));
    }
    this.#waiting++;
    const { cwd, closedDirectory } = this.#options;
    const served = this.#last.then(async () => serve(await Workspace.open(cwd(), closedDirectory)));
    this.#last = served.then(
      () => this.#waiting--,
      () => this.#waiting--,
    );
    return served;
  }
}

function absolute(path: unknown): string {
  if (typeof path === "string" && path.startsWith("/")) return path;
  throw new ProtocolError("INVALID_PARAMS", "path must be an absolute path.");
}

/** `limit` lines from `line` on, which counts from 1. */
function linesOf(text: string, line: unknown, limit: unknown): string {
  const lines = text.split(/(?<=\n)/u);
  const from = typeof line === "number" ? Math.max(0, line - 1) : 0;
  return lines.slice(from, typeof limit === "number" ? from + limit : undefined).join("");
}
