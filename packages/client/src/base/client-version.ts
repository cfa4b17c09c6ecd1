declare const __CLIENT_VERSION__: string | undefined;

/** Version of this package, set by the build; `0.0.0-source` in sources that were not built. */
export const CLIENT_VERSION: string = typeof __CLIENT_VERSION__ === "undefined" ? "0.0.0-source" : __CLIENT_VERSION__;
