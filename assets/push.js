// Push on this device. Looks at what the browser can do, shows that state, and asks for permission only when its button
// is pressed. The subscription goes into the form's field "push"; the form sends it.

const KEPT = "omroeper-push"; // the cache in which push-worker.js finds the subscription again
const choice = document.getElementById("push");
const field = choice?.querySelector("input[name=push]");
const { key, worker, scope, practice } = choice?.dataset ?? {};
// The element that says that a form was taken names the scope too.
const home = scope ?? document.querySelector("[data-push-sent]")?.dataset.pushSent;
const place = () => new URL("push/subscription", new URL(home, location.href)).href;

function show(state) {
  for (const part of choice.querySelectorAll("[data-state]")) part.hidden = part.dataset.state !== state;
  choice.dataset.now = state;
  const said = choice.querySelector(`[data-state="${state}"] p, p[data-state="${state}"]`);
  if (!choice.hidden) choice.querySelector("[data-said]").textContent = said?.textContent ?? "";
  choice.hidden = false;
}

function octets(base64url) {
  const base64 = base64url.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

async function kept() {
  const found = await (await caches.open(KEPT)).match(place());
  return found ? found.json() : null;
}

async function keep(subscription) {
  await (await caches.open(KEPT)).put(place(), Response.json(subscription));
}

// iPhones and iPads have push only for websites that stand on the Home Screen.
const needsHomeScreen = () =>
  (/iPhone|iPad|iPod/.test(navigator.userAgent) || (navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1)) &&
  !("PushManager" in window) && !navigator.standalone;

async function look() {
  if (practice) return show((await kept())?.sent ? "already" : "off");
  if (needsHomeScreen()) return show("iphone");
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) return show("unsupported");
  if (Notification.permission === "denied") return show("blocked");
  const registration = await navigator.serviceWorker.getRegistration(scope);
  const there = await registration?.pushManager.getSubscription();
  show(there && (await kept())?.sent ? "already" : "off");
}

// A subscription at the browser's own push service. A key that was changed since needs a new one.
async function fromBrowser() {
  const registration = await navigator.serviceWorker.register(worker, { scope });
  await navigator.serviceWorker.ready;
  const options = { userVisibleOnly: true, applicationServerKey: octets(key) };
  try {
    return (await registration.pushManager.subscribe(options)).toJSON();
  } catch (error) {
    const old = await registration.pushManager.getSubscription();
    if (error.name !== "InvalidStateError" || !old) throw error;
    await old.unsubscribe();
    return (await registration.pushManager.subscribe(options)).toJSON();
  }
}

// The practice town's push service decrypts what it gets, so it makes the keys itself.
async function fromPractice() {
  const body = JSON.stringify({ applicationServerKey: key });
  const answer = await fetch(practice, { method: "POST", body, signal: AbortSignal.timeout(10_000) });
  if (!answer.ok) throw new Error(`practice push service: ${answer.status}`);
  return answer.json();
}

async function turnOn() {
  try {
    let subscription;
    if (practice) {
      subscription = await fromPractice();
    } else {
      show("asking");
      const permission = await Notification.requestPermission();
      if (permission !== "granted") return show(permission === "denied" ? "blocked" : "off");
      subscription = await fromBrowser();
    }
    const { endpoint, keys } = subscription;
    await keep({ endpoint, keys, key, sent: false });
    field.value = JSON.stringify({ endpoint, keys });
    show("ready");
  } catch (error) {
    console.warn(error);
    return show("failed");
  }
  if ("pushSends" in field.form.dataset) field.form.requestSubmit();
}

async function start() {
  // The form was taken: from now on this device counts as signed up.
  const found = document.querySelector("[data-push-sent]") && (await kept());
  if (found) await keep({ ...found, sent: true });
  if (!choice) return;
  for (const button of choice.querySelectorAll("[data-push=on]")) button.addEventListener("click", turnOn);
  await look().catch(() => show("unsupported"));
}

start();
