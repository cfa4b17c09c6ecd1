import type { ConnectLocalOptions, LocalLink } from "@daemon-sdk/protocol";
import { withoutUndefined } from "@daemon-sdk/protocol";
import { keepConnection } from "../api/index.js";
import { requireObject } from "../base/index.js";
import { type Credential, noCredential } from "../link/index.js";
import { loadAjv } from "./ajv.js";
import type { ClientPlatform } from "./client-platform.js";
import { loadOtelTracing } from "./otel.js";

/** The part of `@daemon-sdk/local-daemon` that a client calls. */
export interface LocalDaemonPackage {
  /** Finds or starts the local daemon and opens a proven link to it. */
  connectLocal(options?: ConnectLocalOptions): Promise<LocalLink>;
}

/** Options of {@link localPlatform}. */
export interface LocalPlatformParts {
  /** Loads the optional package for local daemons; rejects with LOCAL_DAEMON_UNAVAILABLE where it is not installed. */
  loadLocalDaemon(): Promise<LocalDaemonPackage>;
  /**
   * The environment's `FACTORY_API_KEY`, trimmed; undefined when there is none
   * (docs/wire/session.md#credential-sources).
   */
  environmentApiKey(): string | undefined;
}

/** A platform with local daemons. The optional package opens the link, after the daemon has proved itself. */
export function localPlatform({ loadLocalDaemon, environmentApiKey }: LocalPlatformParts): ClientPlatform {
  const ownCredential = ({ credential, endpoint }: LocalLink): Credential | undefined => {
    if (Object.keys(credential).length > 0) return credential;
    const apiKey = endpoint.kind === "droid" ? environmentApiKey() : undefined;
    return apiKey === undefined ? undefined : { apiKey };
  };
  return {
    loadKeeper: () => Promise.resolve(keepConnection),
    loadJsonSchema: loadAjv,
    loadTracing: loadOtelTracing,
    async openLocal({ daemonPort, daemonProgram, agent }, { signal, start }, credential) {
      // It has no effect here; what has the name of an agent was meant for createSession().
      if (agent !== undefined) requireObject("agent", agent, "an http.Agent");
      const localDaemon = await loadLocalDaemon();
      const link = await localDaemon.connectLocal({
        ...withoutUndefined({ signal, daemonPort, daemonProgram }),
        ...(start === false ? { start } : {}),
      });
      const { transport, endpoint } = link;
      const used = credential ?? ownCredential(link);
      if (used !== undefined) return { transport, credential: used, endpoint };
      transport.close();
      throw noCredential("Set FACTORY_API_KEY, or pass `apiKey` or `token`: a plain droid daemon needs one");
    },
  };
}
