import { CommonUpdates } from "./common-updates.js";
import type { AcpVersion } from "./handshake.js";
import type { SessionReport, UpdateReader } from "./update-reader.js";
import { UpdateReaderV1 } from "./update-reader-v1.js";
import { UpdateReaderV2, type UpdateReaderV2Options } from "./version-2/index.js";

/** One reader a version of the protocol; which one is used is known when the agent has answered `initialize`. */
export class UpdateReaders {
  /** What the agent has reported, whatever its version. */
  readonly report: SessionReport;
  readonly #readers: Readonly<Record<AcpVersion, UpdateReader>>;

  constructor(options: UpdateReaderV2Options) {
    const common = new CommonUpdates(options);
    this.report = common;
    this.#readers = { 1: new UpdateReaderV1(options, common), 2: new UpdateReaderV2(options, common) };
  }

  of(version: AcpVersion): UpdateReader {
    return this.#readers[version];
  }
}
