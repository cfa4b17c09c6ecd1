import { InvalidOptionError } from "@daemon-sdk/protocol";

/** Where a dial goes, and how errors may name it. */
export interface DialTarget {
  readonly url: URL;
  /** The address without what may be secret: no user, password, query or fragment. */
  readonly label: string;
}

/** Reads the URL of a dial. The error of a bad one does not repeat it: it may hold a credential. */
export function dialTarget(url: string, schemes: readonly string[]): DialTarget {
  const expected = `a URL that starts with ${schemes.join(" or ")}`;
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new InvalidOptionError("url", expected);
  }
  if (!schemes.includes(parsed.protocol)) throw new InvalidOptionError("url", `${expected}, not ${parsed.protocol}`);
  // A fragment has no place in a WebSocket URL (RFC 6455 §3); libraries refuse it with an error that quotes the URL.
  parsed.hash = "";
  return { url: parsed, label: `${parsed.protocol}//${parsed.host}${parsed.pathname}` };
}

/** Socket file and request path of a `ws+unix:` URL, which joins them by a colon: `ws+unix:///run/daemon.sock:/path`. */
export function unixTarget(url: URL): { socketPath: string; requestPath: string } {
  const colon = url.pathname.lastIndexOf(":/");
  const file = colon === -1 ? url.pathname : url.pathname.slice(0, colon);
  const path = colon === -1 ? "/" : url.pathname.slice(colon + 1);
  return { socketPath: decodePath(file.replace(/:$/, "")), requestPath: path + url.search };
}

/** A URL holds `%20` where the file system has a space. A path that only looks encoded is taken as it stands. */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
