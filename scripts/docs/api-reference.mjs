/** The reference of the public API: a page for each entry of each package, from the comments in its source. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, posix, relative } from "node:path";
import { Application, Converter, Logger, LogLevel, ReflectionKind } from "typedoc";
import { ROOT } from "../run.mjs";

const REPOSITORY = "https://github.com/daemon-sdk/daemon-sdk";

/** Of a link in a comment to a name that exists and that no entry exports: a page shows it as text, an editor follows it. */
const INTERNAL = "resolved but is not included in the documentation";

/** Writes the pages into `out`. Resolves to what is wrong: sources that cannot be read, links in comments that lead nowhere. */
export async function writeApiReference(out) {
  const names = entries();
  const findings = new Findings();
  const app = await Application.bootstrapWithPlugins({
    entryPoints: [...names.keys()].map((source) => join(ROOT, source)),
    tsconfig: writeConfig(),
    // `npm run check` does that.
    skipErrorChecking: true,
    name: "daemon-sdk",
    titleLink: "/",
    readme: "none",
    basePath: ROOT,
    displayBasePath: ROOT,
    disableGit: true,
    sourceLinkTemplate: `${REPOSITORY}/blob/main/{path}#L{line}`,
    excludePrivate: true,
    excludeInternal: true,
    includeHierarchySummary: false,
    githubPages: false,
    // Types that are not exported are shown where they are used.
    validation: {
      invalidLink: true,
      invalidPath: true,
      notExported: false,
      rewrittenLink: false,
      unusedMergeModuleWith: true,
    },
  });
  app.logger = findings;
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (_context, reflection) => {
    if (reflection.kind !== ReflectionKind.Module) return;
    const source = reflection.sources?.[0]?.fullFileName;
    reflection.name = names.get(relative(ROOT, source)) ?? reflection.name;
  });
  const project = await app.convert();
  if (project !== undefined) {
    app.validate(project);
    await app.generateDocs(project, out);
  }
  return findings.faults;
}

/** Keeps what TypeDoc warns of. */
class Findings extends Logger {
  faults = [];

  log(message, level) {
    if (level >= LogLevel.Warn && !message.includes(INTERNAL)) this.faults.push(message);
  }
}

/** Sources of the entries, for Node where there are two, with the name that a program imports. */
function entries() {
  const folders = readdirSync(join(ROOT, "packages"));
  return new Map(
    folders.flatMap((folder) => {
      const { name, exports } = JSON.parse(readFileSync(join(ROOT, "packages", folder, "package.json"), "utf8"));
      const sources = Object.entries(exports).map(([subpath, target]) => [
        target["@daemon-sdk/source"],
        posix.join(name, subpath),
      ]);
      return sources
        .filter(([source]) => source !== undefined)
        .map(([source, entry]) => [join("packages", folder, source), entry]);
    }),
  );
}

/** The sources of the packages alone, without their tests. */
function writeConfig() {
  const directory = join(ROOT, "node_modules", ".cache", "daemon-sdk");
  mkdirSync(directory, { recursive: true });
  const path = join(directory, "tsconfig.docs.json");
  writeFileSync(
    path,
    JSON.stringify({ extends: join(ROOT, "tsconfig.json"), include: [join(ROOT, "packages", "*", "src")] }),
  );
  return path;
}
