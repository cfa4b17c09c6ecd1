declare const __LOCAL_DAEMON_VERSION__: string | undefined;

/** Version of this package, filled in by the build; sources that run unbuilt say `0.0.0-source`. */
export const LOCAL_DAEMON_VERSION: string =
  typeof __LOCAL_DAEMON_VERSION__ === "undefined" ? "0.0.0-source" : __LOCAL_DAEMON_VERSION__;
