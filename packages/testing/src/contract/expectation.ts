import { ProtocolError } from "@daemon-sdk/protocol";

/** Fails a contract case. The text says what was seen; the case's title says what was promised. */
export function violated(text: string): never {
  throw new ProtocolError("PROTOCOL_VIOLATION", text);
}

/** Fails unless `claim` holds. */
export function expectThat(claim: boolean, otherwise: string): asserts claim {
  if (!claim) violated(otherwise);
}

/** Fails unless both values are alike, compared as JSON. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  const [seen, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (seen !== wanted) violated(`${what}: expected ${shorten(wanted)}, got ${shorten(seen)}`);
}

function shorten(text: string | undefined): string {
  if (text === undefined) return "undefined";
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text;
}

/** Default of `TransportHarness.patienceMs`. Long: it is waited for only where a promise is broken. */
export const PATIENCE_MS = 5_000;

/** `promise`, or a failure that names what did not come. */
export async function within<T>(promise: Promise<T>, what: string, patienceMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new ProtocolError("PROTOCOL_VIOLATION", `Waited ${patienceMs} ms for ${what}; it did not come.`));
    }, patienceMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

const QUIET_TURNS = 10;

/** Gives something that must *not* come the chance to come: some turns of the event loop. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < QUIET_TURNS; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
}
