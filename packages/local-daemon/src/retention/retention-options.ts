import { InvalidOptionError } from "@daemon-sdk/protocol";

/** What is kept of sessions that nobody uses. Each bound deletes sessions for good; what is absent deletes none. */
export interface RetentionOptions {
  /** A session is deleted so many days after its last message. */
  readonly days?: number | undefined;
  /** An archived session is deleted so many days after it was archived. */
  readonly archivedDays?: number | undefined;
  /** Bytes that the store may hold. Above it sessions are deleted: archived ones first, then the longest unused. */
  readonly bytes?: number | undefined;
}

/** Smallest values. A store of fewer bytes would delete what is in use at the moment. */
export const LEAST_RETENTION: Readonly<Required<{ [Name in keyof RetentionOptions]: number }>> = {
  days: 1,
  archivedDays: 1,
  bytes: 64 * 1024 * 1024,
};

/** Throws an `InvalidOptionError` that names the option. */
export function checkRetention(options: RetentionOptions): void {
  for (const [name, value] of Object.entries(options)) {
    const least = Object.hasOwn(LEAST_RETENTION, name) ? LEAST_RETENTION[name as keyof RetentionOptions] : undefined;
    if (least === undefined) {
      throw new InvalidOptionError(`retention.${name}`, `one of ${Object.keys(LEAST_RETENTION).join(", ")}`);
    }
    if (value !== undefined && !(typeof value === "number" && value >= least)) {
      throw new InvalidOptionError(`retention.${name}`, `a number from ${least} on`, value);
    }
  }
}
