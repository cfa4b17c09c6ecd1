/** Dials the URL of its argument, sends `hello`, and prints the answer, or the code and the text of the error. */
import { dialWebSocket } from "../../src/index.js";

try {
  const transport = await dialWebSocket(process.argv[2] ?? "");
  transport.onMessage = (text) => {
    console.log(text);
    transport.close();
  };
  transport.send("hello");
} catch (error) {
  const { code, message } = error as Error & { code?: string };
  console.log(`${code}: ${message}`);
}
