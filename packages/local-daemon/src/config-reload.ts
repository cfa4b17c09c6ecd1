import { type Logger, ProtocolError, RpcCode } from "@daemon-sdk/protocol";
import type { Credentials, KeyPolicies } from "./access/index.js";
import type { AgentCatalog, LoginShell } from "./agents/index.js";
import { type ConfigReading, type DaemonConfig, type ResolvedConfig, resolveConfig } from "./config.js";
import { changesOf, withLiveKeys } from "./config-changes.js";
import { agentCatalog, findNamedAgents } from "./configured-agents.js";
import type { RetentionOptions } from "./retention/index.js";

/** What a reload of the configuration changed, by dotted key, such as `limits.liveAgents`. */
export interface ReloadReport {
  /** Keys that the daemon has taken over. */
  readonly applied: readonly string[];
  /** Keys that hold from the daemon's next start on: those of sockets and of the relay. */
  readonly atNextStart: readonly string[];
}

/** What a reload reaches. */
export interface ConfigReloadParts {
  /** The configuration that the daemon was started with. */
  readonly config: ResolvedConfig;
  readonly agents: AgentCatalog;
  readonly loginShell: LoginShell;
  readonly policies: KeyPolicies;
  readonly credentials: Credentials;
  /** Closes the connections of keys that are gone. */
  closeKeys(keyIds: readonly string[]): void;
  /** The bounds of live agents may have changed. */
  recheck(): void;
  readonly logger: Logger;
}

/** Takes over a changed configuration while the daemon runs. */
export class ConfigReload {
  readonly #parts: ConfigReloadParts;
  /** With what was reloaded. */
  #config: ResolvedConfig;
  /** Reloads follow one another: one that waits for the login shell must not undo a later one. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: ConfigReloadParts) {
    this.#parts = parts;
    this.#config = parts.config;
  }

  /** What the running daemon keeps of unused sessions. */
  get retention(): RetentionOptions | undefined {
    return this.#config.retention;
  }

  /** Applies a whole configuration. Rejects with an `InvalidOptionError` for a faulty one, and changes nothing then. */
  apply(config: DaemonConfig): Promise<ReloadReport> {
    return this.#inOrder(async () => {
      await this.#findNamedAgents(config);
      return this.#apply(config);
    });
  }

  /** Reads the configuration again and applies it. With `check` it changes nothing. */
  read(check: boolean): Promise<{ applied: string[]; atNextStart: string[] }> {
    return this.#inOrder(async () => {
      const { config, atNextStart: others = [] } = await this.#readConfig();
      await this.#findNamedAgents(config);
      const { applied, atNextStart } = check ? this.#compare(config) : this.#apply(config);
      return { applied: [...applied], atNextStart: [...atNextStart, ...others] };
    });
  }

  #inOrder<Result>(reload: () => Promise<Result>): Promise<Result> {
    const report = this.#last.then(reload);
    this.#last = report.catch(() => {});
    return report;
  }

  #findNamedAgents(config: DaemonConfig): Promise<void> {
    return findNamedAgents(resolveConfig(config), this.#parts.loginShell);
  }

  #apply(config: DaemonConfig): ReloadReport {
    const { agents, loginShell, policies, credentials, closeKeys, recheck, logger } = this.#parts;
    const next = resolveConfig(config);
    // Checked before anything changes.
    const catalog = agentCatalog(next, loginShell);
    const { live, atNextStart } = changesOf(this.#config, next);
    this.#config = withLiveKeys(this.#config, next);
    agents.replaceBy(catalog);
    policies.replace(next.apiKeys);
    closeKeys(credentials.replaceKeys(next.apiKeys));
    recheck();
    if (live.length + atNextStart.length > 0) {
      logger.info({ applied: live, atNextStart }, "the configuration was reloaded");
    }
    return { applied: live, atNextStart };
  }

  #compare(config: DaemonConfig): ReloadReport {
    const next = resolveConfig(config);
    agentCatalog(next, this.#parts.loginShell);
    const { live, atNextStart } = changesOf(this.#config, next);
    return { applied: live, atNextStart };
  }

  #readConfig(): Promise<ConfigReading> {
    const { readConfig, program } = this.#parts.config;
    if (readConfig !== undefined) return readConfig();
    const text = `The program "${program}" runs this daemon, and has no configuration file.`;
    throw new ProtocolError("METHOD_NOT_FOUND", text, { rpcCode: RpcCode.methodNotFound });
  }
}
