import { InvalidOptionError } from "@daemon-sdk/protocol";

/** Target of a dial, with a label for errors. */
export interface DialTarget {
  readonly url: URL;
  /** The address without secrets: no user, password, query or fragment. */
  readonly label: string;
}

/** Parses the URL of a dial. The error of a bad URL does not repeat the URL, which may hold a credential. */
export function dialTarget(url: string, schemes: readonly string[]): DialTarget {
  const expected = `a URL that starts with ${schemes.join(" or ")}`;
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new InvalidOptionError("url", expected);
  }
  if (!schemes.includes(parsed.protocol)) throw new InvalidOptionError("url", `${expected}, not ${parsed.protocol}`);
  // A WebSocket URL has no fragment (RFC 6455 §3). Libraries refuse one with an error that quotes the URL.
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

/** Decodes a path: a URL has `%20` for a space. An invalid encoding is used unchanged. */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
