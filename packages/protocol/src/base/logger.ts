/** Where a component writes what people should be able to find later. Compatible with pino, console and most loggers. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A logger that writes nothing; the default of libraries. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
