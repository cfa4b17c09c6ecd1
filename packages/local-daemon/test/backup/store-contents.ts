import { DatabaseSync } from "@photostructure/sqlite";

/** Tables whose rows belong to one run of a daemon, or follow from others. */
const NOT_KEPT: ReadonlySet<string> = new Set(["agent_processes", "message_changes", "sqlite_sequence"]);

/** Every row of every table of a store that must not be lost, as text; the epoch is the next one after each start. */
export function storeContents(path: string): Record<string, string[]> {
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA query_only=ON");
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
    const kept = tables.map((row) => String(Reflect.get(Object(row), "name"))).filter((name) => !NOT_KEPT.has(name));
    return Object.fromEntries(
      kept.map((name) => {
        const where = name === "meta" ? "WHERE name NOT IN ('epoch')" : "";
        return [
          name,
          database
            .prepare(`SELECT * FROM ${name} ${where}`)
            .all()
            .map((row) => JSON.stringify(row))
            .sort(),
        ];
      }),
    );
  } finally {
    database.close();
  }
}
