// Keeps the follow page up to date: asks for the state and puts in the parts that changed, so that what is being read
// or has the focus stays where it is. Without this script the page refreshes itself as a whole (see its head).

const LISTENER_PAUSE = 10_000; // milliseconds between two sentences for who listens to the page

const state = document.getElementById("state");
const sentence = document.getElementById("sentence");
const stale = document.getElementById("stale");
let spokenAt = Date.now();
let words = sentence.textContent;
let waiting = false;

// Makes `was` equal to `is`. Elements with data-parts are gone into, child by child, by their ids.
function update(was, is) {
  if (was.isEqualNode(is) || "keep" in was.dataset) return;
  if (!("parts" in was.dataset && "parts" in is.dataset)) {
    const focused = was.contains(document.activeElement) ? document.activeElement.id : "";
    was.replaceWith(is);
    if (focused) document.getElementById(focused)?.focus();
    return;
  }
  let old = was.firstElementChild;
  for (const part of [...is.children]) {
    if (old?.id === part.id) {
      const next = old.nextElementSibling;
      update(old, part);
      old = next;
    } else {
      was.insertBefore(part, old);
    }
  }
  while (old) {
    const next = old.nextElementSibling;
    old.remove();
    old = next;
  }
}

// Says the newest words, as soon as the pause is over.
function speak(newest) {
  words = newest;
  if (waiting) return;
  waiting = true;
  setTimeout(() => {
    waiting = false;
    if (sentence.textContent === words) return;
    sentence.textContent = words;
    spokenAt = Date.now();
  }, Math.max(0, spokenAt + LISTENER_PAUSE - Date.now()));
}

async function refresh() {
  let pace;
  try {
    const answer = await fetch(state.dataset.url, { signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("state");
    pace = Number(fresh.dataset.pace);
    update(state, document.adoptNode(fresh));
    speak(fresh.dataset.sentence);
    stale.hidden = true;
  } catch {
    stale.hidden = false;
    pace = 5_000;
  }
  if (pace) setTimeout(refresh, pace);
}

if (Number(state.dataset.pace)) setTimeout(refresh, Number(state.dataset.pace));
