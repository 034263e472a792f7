// The page: a text goes to /v1/encode, its answer arrives piece by piece, then its verdict.
// The API key stays in its field and in the headers of requests.

import { element, made } from "./dom.js";
import { errorOf, streamEvents } from "./events.js";
import { Run } from "./run.js";
import { curlOf, pythonOf } from "./snippets.js";
import { SourceView } from "./source.js";

const EXAMPLES = [
  "Marta moved the backup job from 02:00 to 04:30 because the nightly export was still running. "
    + "She told Ines, who is on call this week, and set a reminder to check the disk on 12 May.",
  "2024-11-03T07:14:22Z gateway-2 WARN upstream cart-api timed out after 2500 ms (attempt 3 of 3)\n"
    + "2024-11-03T07:14:23Z gateway-2 ERROR 504 GET /v1/cart/8812 client=10.4.0.17\n"
    + "2024-11-03T07:15:01Z gateway-2 INFO circuit for cart-api opened, retry in 30 s",
  "Hi Tomas,\nthe printer on floor 3 is back: it was the fuser, not the paper tray. The part cost "
    + "148 euros and Priya approved it. Please cancel the order with Delwick, number 7731.\nAnneke",
];
const GREETING = "Paste a text and encode it.";
const RETRY_MS = 2000;
const COPIED_MS = 2000;

const source = new SourceView(element("text"), element("backdrop"));
let controller = null;
let run = null;
let retry = null;
let keyWasRefused = false;

/** Of a path of the server, without user and password: fetch refuses those, a copy would tell them. */
function address(path) {
  const url = new URL(path, document.baseURI);
  url.username = url.password = "";
  return url.href;
}

function headers() {
  const key = element("key").value.trim();
  // The server compares bytes of UTF-8, and fetch takes a character for each byte.
  const bytes = String.fromCharCode(...new TextEncoder().encode(key));
  return key ? { Authorization: `Bearer ${bytes}` } : {};
}

/** What is sent and what is copied. */
function body() {
  const model = element("model").value;
  return { ...(model && { model }), on_truncation: "close", text: element("text").value };
}

function tell(words) {
  element("status").textContent = words;
}

/** Tell what comes before the first run: later the words are those of a run. */
function greet(words) {
  if (!run) tell(words);
}

function fail(error) {
  element("problem").hidden = false;
  element("problem").textContent = error.message;
  tell("");
  keyWasRefused = error.status === 401;
  if (keyWasRefused) {
    element("key-part").open = true;
    element("key").focus();
  }
}

/** Ask for the sets until there is an answer. */
async function loadModels() {
  clearTimeout(retry);
  try {
    const response = await fetch(address("v1/models"), { headers: headers() });
    if (!response.ok) throw await errorOf(response);
    fillModels((await response.json()).data);
    if (keyWasRefused) element("problem").hidden = true;
    greet(GREETING);
  } catch (error) {
    if (error.status === 401) {
      fail(error);
      return;
    }
    greet(error.status ? error.message : "The server cannot be reached; trying again.");
    // Another call may wait by now.
    clearTimeout(retry);
    retry = setTimeout(loadModels, RETRY_MS);
  }
}

/** The sets, each with its task; the bare base last. What is chosen stays so where it is still there. */
function fillModels(models) {
  // The embedding model has no task, not even none.
  const encoders = models.filter((model) => "task" in model);
  encoders.sort((one, other) => Boolean(other.task) - Boolean(one.task));
  const chosen = element("model").value;
  const options = encoders.map((model) => {
    const option = made("option", "", model.task ? model.id : `${model.id} (no set)`);
    option.value = model.id;
    option.selected = model.id === chosen;
    return option;
  });
  element("model").replaceChildren(...options);
  element("model").disabled = false;
}

async function encode() {
  if (controller) return;
  const sent = body();
  controller = new AbortController();
  element("problem").hidden = true;
  element("stop").hidden = false;
  // Not disabled: the keyboard would lose its place.
  element("encode").ariaDisabled = "true";
  tell("Encoding…");
  run = new Run(sent.text, source);
  try {
    await streamEvents(address("v1/encode"), {
      headers: headers(),
      body: { ...sent, stream: true },
      signal: controller.signal,
      onEvent: (event) => run.take(event),
    });
    if (!run.summary.length) throw new Error("The connection broke before the answer was whole.");
    element("status").replaceChildren(...run.summary);
  } catch (error) {
    if (error.name === "AbortError") tell("Stopped.");
    else fail(error);
    // Sets come and go.
    if (error.status === 404) loadModels();
  } finally {
    run.close();
    controller = null;
    element("encode").ariaDisabled = "false";
    if (document.activeElement === element("stop")) element("encode").focus();
    element("stop").hidden = true;
  }
}

async function copy(button, label, text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // No clipboard without a secure connection: the text is shown to be copied by hand.
    element("snippet-text").value = text;
    element("snippet").showModal();
    element("snippet-text").select();
    return;
  }
  button.textContent = "Copied";
  setTimeout(() => {
    button.textContent = label;
  }, COPIED_MS);
}

function onCopy(id, text) {
  const button = element(id);
  // Read before the first click: while a copy is told, the button bears other words.
  const label = button.textContent;
  button.addEventListener("click", () => copy(button, label, text()));
}

// The browser may have asked for the key itself; a proxy may ask for one that the server does not.
const withKey = () =>
  "asksForKey" in document.body.dataset || element("key").value.trim() !== "";
onCopy("copy-curl", () => curlOf(address("v1/encode"), body(), withKey()));
onCopy("copy-python", () => pythonOf(address("v1/encode"), body(), withKey()));
onCopy("copy-json", () => run.answer);

element("form").addEventListener("submit", (event) => {
  event.preventDefault();
  encode();
});
element("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) element("form").requestSubmit();
});
element("stop").addEventListener("click", () => controller?.abort());
element("key").addEventListener("change", loadModels);
for (const button of document.querySelectorAll("[data-example]")) {
  button.addEventListener("click", () => {
    element("text").value = EXAMPLES[button.dataset.example];
    element("text").dispatchEvent(new Event("input"));
    element("text").focus();
  });
}
loadModels();
