import { validateHeaderName, validateHeaderValue } from "node:http";
import { InvalidOptionError } from "@daemon-sdk/protocol";

/** Refuses a header that HTTP does not allow. A value with a line break could inject other headers. */
export function checkHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      throw new InvalidOptionError(`headers.${name}`, "a valid HTTP header");
    }
  }
}
