import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import {
  type ExportTarget,
  importSites,
  type Manifest,
  packageOf,
  ROOT,
  sourceFiles,
  workspacePackages,
} from "./support/packages.js";
import { arrowsOf, circlesOf, pastDoors } from "./support/source-graph.js";

const SCOPE = "@daemon-sdk/";

/** The arrows of docs/architecture.md: a package, and the siblings its published code may name. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  "transport-ws": ["protocol"],
  testing: ["protocol"],
  client: ["protocol", "transport-ws"],
  "local-daemon": ["protocol", "transport-ws", "console"],
  console: ["protocol", "client"],
  http: ["protocol", "client"],
  fleet: ["protocol", "client"],
  examples: ["protocol", "transport-ws", "client", "local-daemon", "fleet"],
  consumers: ["client", "local-daemon"],
};

/** Packages of others that published code may name. Every new one is a decision, so it is written down here. */
const OUTSIDE: Readonly<Record<string, readonly string[]>> = {
  protocol: ["zod"],
  "transport-ws": ["https-proxy-agent", "ws"],
  testing: ["vitest"],
  client: ["@opentelemetry/api", "@standard-schema/spec", "ajv"],
  "local-daemon": [
    "@agentclientprotocol/sdk",
    "@opentelemetry/api",
    "@photostructure/sqlite",
    "unhomoglyph",
    "commander",
    "diff",
    "fast-string-truncated-width",
    "jsonc-parser",
    "pino",
    "ws",
    "zod",
  ],
  http: ["@hono/node-server", "hono", "zod"],
  console: ["@preact/signals", "@tanstack/virtual-core", "diff", "highlight.js", "lowlight", "marked", "preact"],
  fleet: ["@nats-io/jetstream", "@nats-io/jwt", "@nats-io/kv", "@nats-io/nats-core", "@nats-io/transport-node"],
  examples: ["ws", "zod"],
  consumers: ["croner"],
};

/** Packages that a user may have beside ours. All are optional: what needs one says so. */
const PEERS: Readonly<Record<string, readonly string[]>> = {
  client: [`${SCOPE}fleet`, `${SCOPE}local-daemon`, "@opentelemetry/api", "ajv"],
  "local-daemon": [`${SCOPE}fleet`, `${SCOPE}http`, "@opentelemetry/api"],
  testing: ["vitest"],
  "transport-ws": ["https-proxy-agent"],
};

/** Arrows that are no dependencies: the files of the local daemon that load a package in which there is a client. */
const LOADERS_OF_OPTIONAL: Readonly<Record<string, readonly string[]>> = {
  http: ["cli/serve-command.ts"],
  fleet: [
    "cli/open-fleet.ts",
    "cli/fleet/fleet-keys-command.ts",
    "daemon/fleet-for-console.ts",
    "daemon/fleet-membership.ts",
  ],
};

/** The other arrow that is no dependency: `client` loads the local daemon when a local machine is asked for. */
const LOADERS_OF_LOCAL_DAEMON = ["index.ts", "local.ts", "connect/exec/index.ts", "relay/index.ts"];

/** And the last one: `client` loads the fleet when a machine of one is asked for. */
const LOADERS_OF_FLEET = ["index.ts"];

/** Files that may use Node, in packages that also run in browsers. */
const NODE_FILES: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  testing: ["node.ts", "node-test.ts"],
  console: [],
  client: ["index.ts", "local.ts", "connect/exec/in-process-connection.ts", "relay/index.ts", "relay/unix-link.ts"],
};

const packages = workspacePackages("packages");
const members = [...packages, ...workspacePackages("apps")];

test("the workspace holds the packages of the diagram, and no other", () => {
  expect(new Set(members.map((member) => member.folder))).toEqual(new Set(Object.keys(ARROWS)));
});

describe.each(members)("$folder", (member) => {
  const arrows = ARROWS[member.folder] ?? [];
  const outside = OUTSIDE[member.folder] ?? [];

  test("declares dependencies along the arrows only", () => {
    const declared = Object.keys(member.manifest.dependencies ?? {});
    const allowed = [...arrows.map((name) => SCOPE + name), ...outside];
    expect(declared.filter((name) => !allowed.includes(name))).toEqual([]);
  });

  test("asks for peers only where the diagram has the optional one", () => {
    const peers = PEERS[member.folder] ?? [];
    expect(Object.keys(member.manifest.peerDependencies ?? {})).toEqual(peers);
    for (const peer of peers) expect(member.manifest.peerDependenciesMeta?.[peer]?.optional).toBe(true);
  });

  test("imports along the arrows only, and nothing it does not declare", () => {
    const wrong: string[] = [];
    for (const file of sourceFiles(member)) {
      for (const { specifier, kind } of importSites(file)) {
        const fault = faultOf(specifier, kind, file.path);
        if (fault) wrong.push(`${file.path}: "${specifier}" ${fault}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  function faultOf(specifier: string, kind: string, path: string): string | undefined {
    if (specifier.startsWith(".")) return /\.(js|json|css)$/.test(specifier) ? undefined : "lacks its .js ending";
    if (specifier.startsWith("node:")) {
      const isNodes = path.startsWith("node/") || NODE_FILES[member.folder]?.includes(path) !== false;
      return isNodes ? undefined : "is Node's, in code that browsers run";
    }
    const name = packageOf(specifier);
    if (member.folder === "client" && name === `${SCOPE}local-daemon`) {
      if (!LOADERS_OF_LOCAL_DAEMON.includes(path)) return `is named outside ${LOADERS_OF_LOCAL_DAEMON.join(", ")}`;
      return path !== "local.ts" && kind === "static" ? "is loaded before a local machine is asked for" : undefined;
    }
    if (member.folder === "client" && name === `${SCOPE}fleet`) {
      if (!LOADERS_OF_FLEET.includes(path)) return `is named outside ${LOADERS_OF_FLEET.join(", ")}`;
      return kind === "static" ? "is loaded before a machine of a fleet is asked for" : undefined;
    }
    const loaders = member.folder === "local-daemon" ? LOADERS_OF_OPTIONAL[name.slice(SCOPE.length)] : undefined;
    if (loaders !== undefined && name.startsWith(SCOPE))
      return loaders.includes(path) && kind !== "static"
        ? undefined
        : `is loaded elsewhere than by ${loaders.join(", ")}`;
    if (name.startsWith(SCOPE))
      return arrows.includes(name.slice(SCOPE.length)) ? undefined : "is no arrow of the diagram";
    return outside.includes(name) ? undefined : "is not in the list of outside packages";
  }
});

/** Files of one folder above which it holds more than one idea. */
const MAX_FOLDER_FILES = 25;

/** Files and folders at the top of `client/src`, the one that most people open first. */
const MAX_TOP_ENTRIES = 12;

describe.each(packages)("folders of $folder", (member) => {
  const files = sourceFiles(member);
  const arrows = arrowsOf(files);

  test("import one way: no circle among the entries of any directory, types included", () => {
    expect(circlesOf(arrows)).toEqual([]);
  });

  test("are imported through their doors only", () => {
    expect(pastDoors(arrows)).toEqual([]);
  });

  test(`hold at most ${MAX_FOLDER_FILES} files each`, () => {
    const counts = new Map<string, number>();
    for (const { path } of files) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
    expect([...counts].filter(([, count]) => count > MAX_FOLDER_FILES)).toEqual([]);
  });
});

test(`client/src has at most ${MAX_TOP_ENTRIES} entries`, () => {
  const client = packages.find(({ folder }) => folder === "client");
  const tops = new Set(client === undefined ? [] : sourceFiles(client).map(({ path }) => path.split("/")[0]));
  expect(tops.size).toBeGreaterThan(0);
  expect(tops.size).toBeLessThanOrEqual(MAX_TOP_ENTRIES);
});

describe("the rules for folders", () => {
  const file = (path: string, text: string) => ({
    path,
    text,
    tree: ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true),
  });

  test("find a circle of folders, one of files, and an import past a door", () => {
    const arrows = arrowsOf([
      file("a/index.ts", 'export { x } from "./x.js";'),
      file("a/x.ts", 'import type { Y } from "../b/index.js";'),
      file("b/index.ts", 'export type { Y } from "./y.js";'),
      file("b/y.ts", 'import { x } from "../a/x.js"; import("./z.js");'),
      file("b/z.ts", 'import "./y.js";'),
    ]);
    expect(circlesOf(arrows)).toEqual(["src: a ⇄ b", "b: y.ts ⇄ z.ts"]);
    expect(pastDoors(arrows)).toEqual(["b/y.ts imports a/x.ts"]);
  });

  test("let files of a folder import one another, a folder's parent, and doors", () => {
    const arrows = arrowsOf([
      file("a/index.ts", 'export { x } from "./x.js";'),
      file("a/x.ts", 'import "./deep/index.js"; import "../limits.js"; import "../b/browser.js";'),
      file("a/deep/index.ts", 'import "../../limits.js";'),
    ]);
    expect([...circlesOf(arrows), ...pastDoors(arrows)]).toEqual([]);
  });
});

describe("browsers", () => {
  const ENTRIES = [
    "protocol",
    "protocol/schema",
    "protocol/relay",
    "transport-ws",
    "client",
    "client/relay",
    "fleet/browser",
    "testing",
  ];

  test.each(ENTRIES)("the built %s, bundled for a browser, reaches neither node: nor ws", async (entry) => {
    const { metafile } = await build({
      stdin: { contents: `export * from "${SCOPE}${entry}";`, resolveDir: ROOT },
      bundle: true,
      write: false,
      metafile: true,
      platform: "browser",
      format: "esm",
      // Left outside, so that they show up in the list below instead of ending the build.
      external: ["node:*", "ws", ...NODE_BUILTINS],
      logLevel: "silent",
    });
    const outputs = Object.values(metafile.outputs);
    const external = outputs.flatMap((output) => output.imports.map((imported) => imported.path));
    const inputs = Object.keys(metafile.inputs);
    expect(external).toEqual([]);
    expect(inputs.filter((path) => /node_modules\/(ws|@types)\//.test(path))).toEqual([]);
    expect(inputs.filter((path) => /packages\/[^/]+\/src\//.test(path))).toEqual([]);
    expect(inputs.some((path) => path.includes("/dist/"))).toBe(true);
  });

  // Without `crypto`: tweetnacl (of NATS' keys) states in its manifest that browsers go without, which an external module would hide.
  // Whatever else needs it ends the build.
  const NODE_BUILTINS = [
    "buffer",
    "events",
    "fs",
    "http",
    "https",
    "net",
    "os",
    "path",
    "stream",
    "tls",
    "url",
    "zlib",
  ];
});

describe.each(packages)("manifest of $folder", ({ folder, directory, manifest }) => {
  test("has the promises every package makes", () => {
    expect(manifest).toMatchObject({
      name: SCOPE + folder,
      type: "module",
      license: "Apache-2.0",
      sideEffects: false,
      engines: { node: ">=20.19" },
      publishConfig: { access: "public" },
    });
    expect(manifest.private).toBeUndefined();
    for (const file of ["dist", "README.md", "LICENSE"]) expect(manifest.files).toContain(file);
  });

  test("has the entries pinned here", () => {
    expect(Object.keys(manifest.exports ?? {})).toEqual(PINNED_ENTRIES[folder]);
  });

  test("publishes what it develops with, less the source condition", () => {
    expect(manifest.publishConfig?.exports).toEqual(withoutSource(manifest.exports ?? {}));
  });

  test("gives types first in every condition, ESM types to import and CommonJS types to require", () => {
    for (const [entry, target] of Object.entries(manifest.publishConfig?.exports ?? {})) {
      for (const { conditions, leaf } of leavesOf(target)) {
        expect(Object.keys(leaf), `${entry} ${conditions}`).toEqual(["types", "default"]);
        const ending = conditions.endsWith("require") ? "cts" : "ts";
        expect(leaf.types, `${entry} ${conditions}`).toMatch(new RegExp(`\\.d\\.${ending}$`));
      }
    }
  });

  test("names only files that the build makes", () => {
    const missing = filesOf(manifest).filter((file) => !existsSync(join(directory, file)));
    expect(missing).toEqual([]);
  });
});

const PINNED_ENTRIES: Readonly<Record<string, readonly string[]>> = {
  protocol: [".", "./schema", "./relay", "./relay/schema", "./json-schema", "./package.json"],
  "transport-ws": [".", "./package.json"],
  testing: [".", "./node", "./node-test", "./vitest", "./package.json"],
  client: [".", "./relay", "./local", "./exec", "./package.json"],
  "local-daemon": [".", "./server", "./config.schema.json", "./package.json"],
  http: [".", "./serve", "./openapi.json", "./package.json"],
  fleet: [".", "./machine", "./enrol", "./browser", "./package.json"],
  console: ["./package.json"],
};

function withoutSource(target: ExportTarget): ExportTarget {
  if (typeof target === "string") return target;
  const kept = Object.entries(target).filter(([condition]) => condition !== "@daemon-sdk/source");
  return Object.fromEntries(kept.map(([condition, inner]) => [condition, withoutSource(inner)]));
}

/** The files of an entry by the conditions that lead to them; `browser` may ask for `import` once more. */
function leavesOf(
  target: ExportTarget,
  path: readonly string[] = [],
): { conditions: string; leaf: Exclude<ExportTarget, string> }[] {
  if (typeof target === "string") return [];
  if (Object.values(target).some((inner) => typeof inner === "string"))
    return [{ conditions: path.join(" "), leaf: target }];
  return Object.entries(target).flatMap(([condition, inner]) => leavesOf(inner, [...path, condition]));
}

function filesOf(manifest: Manifest): string[] {
  const leaves = (target: ExportTarget): string[] =>
    typeof target === "string" ? [target] : Object.values(target).flatMap(leaves);
  return [...new Set(leaves(manifest.publishConfig?.exports ?? {}))];
}
