// The service worker: shows push messages, takes their reader to the page, and tells us when the browser replaced the
// subscription. It keeps no pages and answers no requests.

const HOME = new URL(self.registration.scope);
const KEPT = "omroeper-push"; // the cache in which push-1.js keeps the subscription
const SUBSCRIPTION = new URL("push/subscription", HOME).href;
const LONGEST = { title: 300, body: 4000, tag: 64, lang: 35 };
// Where a message of ours may lead, below our own address: an announcement's page, and the pages behind its buttons.
const LEADS_TO = /^([a-z]{2,3}(-[A-Za-z0-9]+)*\/([a-z0-9-]{1,80}\/)?|early\/[A-Za-z0-9_-]+\/[a-z0-9-]{1,80}\/|(confirm|login|preferences|leave)\/[A-Za-z0-9_=-]+)?$/;

const UNREADABLE = self.navigator.language.startsWith("nl") ? "Bericht van de gemeente" : "Message from the municipality";

const words = (value, most) => (typeof value === "string" ? value.slice(0, most) : "");

// The address to open for `navigate`: our own, else our first page. Nothing else is ever opened.
function destination(navigate) {
  let url;
  try {
    url = new URL(navigate, HOME);
  } catch {
    return HOME.href;
  }
  const ours = url.origin === HOME.origin && !url.username && !url.password && url.pathname.startsWith(HOME.pathname);
  return ours && LEADS_TO.test(url.pathname.slice(HOME.pathname.length)) ? url.href : HOME.href;
}

// What a message asks to show, as plain text. A message that we cannot read still has to be shown: browsers want that.
function notification(data) {
  let said;
  try {
    said = data.json().notification;
  } catch {
    said = null;
  }
  const title = words(said?.title, LONGEST.title);
  if (!title) return [UNREADABLE, { tag: "unreadable", data: { navigate: HOME.href, actions: {} } }];
  const buttons = (Array.isArray(said.actions) ? said.actions : []).slice(0, 1).map((each) => ({
    action: words(each?.action, 20),
    title: words(each?.title, 60),
    navigate: destination(each?.navigate),
  }));
  const tag = words(said.tag, LONGEST.tag);
  return [title, {
    body: words(said.body, LONGEST.body),
    lang: words(said.lang, LONGEST.lang),
    dir: ["ltr", "rtl"].includes(said.dir) ? said.dir : "auto",
    tag, // a correction has that of its original, and takes its place
    renotify: Boolean(tag) && said.renotify === true,
    requireInteraction: said.requireInteraction === true,
    timestamp: Number.isFinite(said.timestamp) ? said.timestamp : Date.now(),
    icon: new URL("assets/icon-192.png", HOME).href,
    actions: buttons.map(({ action, title }) => ({ action, title })),
    data: {
      navigate: destination(said.navigate),
      actions: Object.fromEntries(buttons.map((each) => [each.action, each.navigate])),
    },
  }];
}

self.addEventListener("install", (event) => event.waitUntil(self.skipWaiting()));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  event.waitUntil(self.registration.showNotification(...notification(event.data)));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const data = event.notification.data ?? {};
  // Looked at again: what is stored in a notification is only as good as who made it.
  event.waitUntil(open(destination(data.actions?.[event.action] ?? data.navigate)));
});

async function open(href) {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = windows.find((each) => each.url === href);
  return there ? there.focus() : self.clients.openWindow(href);
}

self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew(event)));

async function renew(event) {
  const kept = await caches.open(KEPT);
  const old = (await kept.match(SUBSCRIPTION).then((found) => found?.json())) ?? event.oldSubscription?.toJSON();
  const key = old?.key ?? event.oldSubscription?.options.applicationServerKey;
  if (!old || !key) return;
  const options = { userVisibleOnly: true, applicationServerKey: key };
  const fresh = (event.newSubscription ?? (await self.registration.pushManager.subscribe(options))).toJSON();
  const answer = await fetch(new URL("push/renew", HOME), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ old, new: fresh }),
  });
  if (answer.ok) await kept.put(SUBSCRIPTION, Response.json({ ...old, ...fresh }));
}
