// Events of a streamed answer: each is one JSON document after "data:".

/**
 * POST a body and hand over each event as it comes.
 * Throws an Error with the server's own words where it answers with an error.
 */
export async function streamEvents(url, { headers, body, signal, onEvent }) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
    signal,
  });
  if (!response.ok) throw await errorOf(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    waiting += value;
    const events = waiting.split("\n\n");
    waiting = events.pop();
    for (const event of events) {
      // Lines that begin with a colon only keep the connection alive.
      if (!event.startsWith("data: ")) continue;
      const data = event.slice("data: ".length);
      if (data !== "[DONE]") onEvent(JSON.parse(data));
    }
  }
}

/** An Error in the words of an answer that is no success, with its `status`. */
export async function errorOf(response) {
  const error = new Error(`The server answered ${response.status}.`);
  error.status = response.status;
  try {
    const told = await response.json();
    if (told.error?.message) error.message = told.error.message;
  } catch {
    // Not from this server: the status is all there is.
  }
  return error;
}
