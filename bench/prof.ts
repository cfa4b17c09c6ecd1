import { ourPair, publishedPair } from "./measures/relay-pairs.js";
import { ROLES } from "./roles/roles.js";
const [flag, role = ""] = process.argv.slice(2);
if (flag === "--role") await ROLES.get(role)?.();
else {
  const which = process.argv[2] ?? "ours";
  const pair = which === "ours" ? await ourPair("ours", false) : await publishedPair(which, which);
  const N = 50_000, W = 1000, BODY = "x".repeat(200);
  const round = () => new Promise<number>((resolve) => {
    const t = performance.now(); const c = process.cpuUsage();
    let sent = 0, arrived = 0;
    const fill = () => { while (sent < N && sent - arrived < W) { sent++; pair.send(BODY); } };
    pair.onArrival = () => { arrived++; if (arrived === N) { const d = process.cpuUsage(c); console.log(which, Math.round(N / (performance.now() - t) * 1000), "/s; client cpu us/msg", ((d.user + d.system) / N).toFixed(2)); resolve(0); } else if (sent - arrived <= W / 2) fill(); };
    fill();
  });
  for (let i = 0; i < 6; i++) await round();
  await pair.close();
}
