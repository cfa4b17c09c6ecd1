declare const __CLIENT_VERSION__: string | undefined;

/** Version of this package, filled in by the build; sources that run unbuilt say `0.0.0-source`. */
export const CLIENT_VERSION: string = typeof __CLIENT_VERSION__ === "undefined" ? "0.0.0-source" : __CLIENT_VERSION__;
