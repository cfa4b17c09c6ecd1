import { type ConnectDaemonOptions, connectDaemon } from "@daemon-sdk/client";

/** A bot's core, whose connection a test may replace. */
export async function greet(name: string, options: ConnectDaemonOptions): Promise<string> {
  const connection = await connectDaemon(options);
  try {
    const { success, text } = await connection.run(`Greet ${name}.`, { permissionHandler: () => "cancel" });
    return success ? text : "Good morning.";
  } finally {
    await connection.close();
  }
}
