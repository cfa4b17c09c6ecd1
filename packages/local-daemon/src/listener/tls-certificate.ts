import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext, type SecureContext } from "node:tls";
import { InvalidOptionError } from "@daemon-sdk/protocol";

/** Where the certificate of the TCP port lies, and its private key: files in PEM. */
export interface TlsFiles {
  /** The certificate, and behind it those that lead to a known authority. */
  readonly certFile: string;
  readonly keyFile: string;
}

/** A certificate with the key that belongs to it. */
export interface TlsCertificate {
  readonly context: SecureContext;
  /** Equal for equal files. */
  readonly digest: string;
}

/** Reads both files. Rejects with an `InvalidOptionError` that names the file that cannot be read, or says that the two do not fit. */
export async function readCertificate({ certFile, keyFile }: TlsFiles): Promise<TlsCertificate> {
  const [cert, key] = await Promise.all([read("tls.certFile", certFile), read("tls.keyFile", keyFile)]);
  try {
    const context = createSecureContext({ cert, key });
    const digest = createHash("sha256").update(cert).update("\0").update(key).digest("base64url");
    return { context, digest };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new InvalidOptionError("tls", `a certificate and its key, both in PEM; OpenSSL says: ${why}`);
  }
}

async function read(option: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new InvalidOptionError(option, `the path of a file that the daemon can read; ${path} is none (${code})`);
  }
}
