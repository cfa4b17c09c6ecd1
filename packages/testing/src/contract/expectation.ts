import { ProtocolError } from "@daemon-sdk/protocol";

/** Fails a contract case. `text` describes the observation; the case's title is the promise. */
export function violated(text: string): never {
  throw new ProtocolError("PROTOCOL_VIOLATION", text);
}

/** Fails unless `claim` holds. */
export function expectThat(claim: boolean, otherwise: string): asserts claim {
  if (!claim) violated(otherwise);
}

/** Fails unless both values are equal, compared as JSON. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  const [seen, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (seen !== wanted) violated(`${what}: expected ${shorten(wanted)}, got ${shorten(seen)}`);
}

function shorten(text: string | undefined): string {
  if (text === undefined) return "undefined";
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text;
}

/** Default of `TransportHarness.patienceMs`. Long, because only a broken promise takes that long. */
export const PATIENCE_MS = 5_000;

/** The outcome of `promise`, or a failure that names what was awaited. */
export async function within<T>(promise: Promise<T>, what: string, patienceMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new ProtocolError("PROTOCOL_VIOLATION", `Expected ${what} within ${patienceMs} ms.`));
    }, patienceMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

const QUIET_TURNS = 10;

/** Waits some turns of the event loop, in which a forbidden event could occur. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < QUIET_TURNS; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
}
