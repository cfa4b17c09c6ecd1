import type { AcpVersion } from "../handshake.js";
import { AgentTerminals } from "./agent-terminals.js";
import { CommonUpdates } from "./common-updates.js";
import type { SessionReport, UpdateReader } from "./update-reader.js";
import { UpdateReaderV1 } from "./update-reader-v1.js";
import { UpdateReaderV2, type UpdateReaderV2Options } from "./version-2/index.js";

/** One reader a version of the protocol; which one is used is known when the agent has answered `initialize`. */
export class UpdateReaders {
  /** What the agent has reported, whatever its version. */
  readonly report: SessionReport;
  readonly #options: UpdateReaderV2Options;
  readonly #readers: Readonly<Record<AcpVersion, UpdateReader>>;
  readonly #terminals = new AgentTerminals();

  constructor(options: UpdateReaderV2Options) {
    const common = new CommonUpdates(options);
    this.#options = options;
    this.report = common;
    this.#readers = {
      1: new UpdateReaderV1(options, common, this.#terminals),
      2: new UpdateReaderV2(options, common, this.#terminals),
    };
  }

  /** A terminal that the daemon runs for the agent has written: the tool call that shows it has the output. */
  terminalWrote(terminalId: string, text: string): void {
    for (const update of this.#terminals.wrote(terminalId, text)) this.#options.writer()?.toolOutput(update);
  }

  of(version: AcpVersion): UpdateReader {
    return this.#readers[version];
  }
}
