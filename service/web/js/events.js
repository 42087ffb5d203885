// Server-sent events over fetch: the browser's own EventSource cannot send a key.

import { ask } from "./api.js";

const PAUSE_MS = 2000;

/**
 * Call `take` with the data of every event until `take` returns true, the signal aborts, or the service refuses.
 * Where the line breaks, `broken` is told, and the events are asked for again.
 */
export async function listen(path, { take, broken, signal }) {
  while (!signal.aborted) {
    try {
      const response = await ask(path, { accept: "text/event-stream", signal });
      if (await ends(response.body, take)) return;
    } catch (error) {
      if (signal.aborted) return;
      if (error.code && error.code !== "unreachable") throw error;
    }
    broken();
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** Read a stream; return whether `take` has had enough. */
async function ends(body, take) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return false;
    const parts = (text + value).split("\n\n");
    text = parts.pop();
    for (const part of parts) {
      const data = part.split("\n").filter((line) => line.startsWith("data: "));
      if (data.length && take(data.map((line) => line.slice(6)).join("\n"))) {
        await reader.cancel();
        return true;
      }
    }
  }
}
