// Shows, while an announcement is written, how each outlet will have it: asks for what stands beside the form and puts
// it in place. Without this script a button does the same. Also takes the reader to the findings above the form.

const PAUSE = 500; // milliseconds after the last key
const form = document.getElementById("write");
let timer;
let asking; // the request that is under way

function opened(aside) {
  return [...aside.querySelectorAll("details")].map((each) => each.open);
}

async function refresh() {
  asking?.abort();
  asking = new AbortController();
  const values = new URLSearchParams(new FormData(form));
  values.delete("press");
  try {
    const answer = await fetch(form.dataset.preview, { method: "POST", body: values, signal: asking.signal });
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const old = document.getElementById("aside");
    const fresh = document.adoptNode(page.getElementById("aside"));
    const before = opened(old);
    const now = fresh.querySelectorAll("details");
    if (before.length === now.length) now.forEach((each, number) => { each.open = before[number]; });
    if (!old.contains(document.activeElement)) old.replaceWith(fresh);
  } catch {
    // The preview stays as it was; the form itself is not touched.
  }
}

form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(refresh, PAUSE);
});

document.getElementById("errors")?.focus();
