/** Answers the question that waits: `click <answer>`. Another process than the one that was asked. */
import { connectDaemon } from "@daemon-sdk/client";

const connection = await connectDaemon();
for (const { requestId, method, params } of await connection.listRequests()) {
  if (method !== "ask_user") continue;
  const answers = params.questions.map(({ index, question }) => ({ index, question, answer: process.argv[2] ?? "" }));
  await connection.answerRequest(requestId, { answers });
}
await connection.close();
