import type { Logger } from "@daemon-sdk/protocol";

/** Writes a line of the log. `at` is when the event was, in ms since 1970. */
export type WriteLine = (level: keyof Logger, fields: object, message: string, at: number) => void;
