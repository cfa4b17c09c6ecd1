import { type Logger, ProtocolError, RpcCode } from "@daemon-sdk/protocol";
import type { Credentials, KeyPolicies } from "./access/index.js";
import type { AgentCatalog, LoginShell } from "./agents/index.js";
import { type ConfigReading, type DaemonConfig, type ResolvedConfig, resolveConfig } from "./config.js";
import { changesOf, withLiveKeys } from "./config-changes.js";
import { agentCatalog, findNamedAgents } from "./configured-agents.js";
import { certificateOf } from "./configured-certificate.js";
import type { TlsCertificate } from "./listener/index.js";
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
  /** The certificate of the port, as it was read at the start. */
  readonly certificate: TlsCertificate | undefined;
  /** Serves the port with another certificate from now on. */
  useCertificate(certificate: TlsCertificate | undefined): void;
  /** The bounds of live agents may have changed. */
  recheck(): void;
  readonly logger: Logger;
}

/** A configuration with what was found for it outside. */
interface Prepared {
  readonly next: ResolvedConfig;
  readonly certificate: TlsCertificate | undefined;
}

/** Takes over a changed configuration while the daemon runs. */
export class ConfigReload {
  readonly #parts: ConfigReloadParts;
  /** With what was reloaded. */
  #config: ResolvedConfig;
  #certificate: TlsCertificate | undefined;
  /** Reloads follow one another: one that waits for the login shell must not undo a later one. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: ConfigReloadParts) {
    this.#parts = parts;
    this.#config = parts.config;
    this.#certificate = parts.certificate;
  }

  /** What the running daemon keeps of unused sessions. */
  get retention(): RetentionOptions | undefined {
    return this.#config.retention;
  }

  /** Applies a whole configuration. Rejects with an `InvalidOptionError` for a faulty one, and changes nothing then. */
  apply(config: DaemonConfig): Promise<ReloadReport> {
    return this.#inOrder(async () => {
      return this.#apply(await this.#prepared(config));
    });
  }

  /** Reads the configuration again and applies it. With `check` it changes nothing. */
  read(check: boolean): Promise<{ applied: string[]; atNextStart: string[] }> {
    return this.#inOrder(async () => {
      const { config, atNextStart: others = [] } = await this.#readConfig();
      const next = await this.#prepared(config);
      const { applied, atNextStart } = check ? this.#compare(next) : this.#apply(next);
      return { applied: [...applied], atNextStart: [...atNextStart, ...others] };
    });
  }

  #inOrder<Result>(reload: () => Promise<Result>): Promise<Result> {
    const report = this.#last.then(reload);
    this.#last = report.catch(() => {});
    return report;
  }

  /** Everything that is looked for outside, before anything changes. */
  async #prepared(config: DaemonConfig): Promise<Prepared> {
    const next = resolveConfig(config);
    await findNamedAgents(next, this.#parts.loginShell);
    return { next, certificate: await certificateOf(next) };
  }

  #apply({ next, certificate }: Prepared): ReloadReport {
    const { agents, loginShell, policies, credentials, closeKeys, useCertificate, recheck, logger } = this.#parts;
    // Checked before anything changes.
    const catalog = agentCatalog(next, loginShell);
    const report = this.#changes({ next, certificate });
    this.#config = withLiveKeys(this.#config, next);
    this.#certificate = certificate;
    useCertificate(certificate);
    agents.replaceBy(catalog);
    policies.replace(next.apiKeys);
    closeKeys(credentials.replaceKeys(next.apiKeys));
    recheck();
    if (report.applied.length + report.atNextStart.length > 0) logger.info(report, "the configuration was reloaded");
    return report;
  }

  #compare(prepared: Prepared): ReloadReport {
    agentCatalog(prepared.next, this.#parts.loginShell);
    return this.#changes(prepared);
  }

  /** A certificate is compared by its content: it is renewed in the same files. */
  #changes({ next, certificate }: Prepared): ReloadReport {
    const { live, atNextStart } = changesOf(this.#config, next);
    const isOther = this.#certificate?.digest !== certificate?.digest;
    return { applied: isOther ? [...live, "tls"] : live, atNextStart };
  }

  #readConfig(): Promise<ConfigReading> {
    const { readConfig, program } = this.#parts.config;
    if (readConfig !== undefined) return readConfig();
    const text = `The program "${program}" runs this daemon, and has no configuration file.`;
    throw new ProtocolError("METHOD_NOT_FOUND", text, { rpcCode: RpcCode.methodNotFound });
  }
}
