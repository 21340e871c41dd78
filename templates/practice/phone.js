// Keeps what is marked data-live as it is at the far side, without moving who is reading: only what changed is replaced.
const EVERY = 1500; // milliseconds

let seen = null;

async function look() {
  if (document.hidden) return;
  const answer = await fetch(location.href, { headers: seen ? { "If-None-Match": seen } : {}, cache: "no-store" });
  if (answer.status !== 200) return;
  const first = seen === null;
  seen = answer.headers.get("ETag");
  if (first) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const now = document.querySelectorAll("[data-live]");
  page.querySelectorAll("[data-live]").forEach((part, index) => {
    if (now[index] && now[index].innerHTML !== part.innerHTML) now[index].replaceChildren(...part.childNodes);
  });
}

setInterval(() => look().catch(() => {}), EVERY);
look().catch(() => {});
