/** Codes from 1002 to 2999 say that something was refused or broke (RFC 6455 §7.4). */
export function isPolite(code: number): boolean {
  return code < 1002 || code >= 3000;
}
