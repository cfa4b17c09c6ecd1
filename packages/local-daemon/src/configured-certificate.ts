import type { ResolvedConfig } from "./config.js";
import type { TlsCertificate } from "./listener/index.js";

/** The certificate of the TCP port; undefined where none is configured. Rejects with an `InvalidOptionError` for files that are of no use. */
export async function certificateOf({ tls }: Pick<ResolvedConfig, "tls">): Promise<TlsCertificate | undefined> {
  if (tls === undefined) return undefined;
  // Loaded here: a daemon without a listener never needs it.
  const { readCertificate } = await import("./listener/index.js");
  return readCertificate(tls);
}
