/** Where a component writes its log. Compatible with pino, console and most loggers. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A logger that writes nothing; the default of libraries. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
