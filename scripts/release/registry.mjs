/**
 * A registry of its own for `npm run release:dry`: `node registry.mjs FOLDER`, started by `fork`.
 *
 * Holds what is published in FOLDER, asks no other registry, and listens on 127.0.0.1 at a port the system chose, which
 * it sends to its parent. Ends with its parent, whatever becomes of that.
 */
import { join } from "node:path";
import { runServer } from "verdaccio";

const [folder] = process.argv.slice(2);
const server = await runServer({
  self_path: join(folder, "config.yaml"),
  storage: join(folder, "storage"),
  auth: { htpasswd: { file: join(folder, "htpasswd"), max_users: -1 } },
  uplinks: {},
  packages: { "@daemon-sdk/*": { access: "$all", publish: "$all" } },
  web: { enable: false },
  log: { type: "stdout", format: "pretty", level: "warn", colors: false },
});
process.once("disconnect", () => process.exit(0));
server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
