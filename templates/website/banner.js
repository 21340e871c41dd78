/* Omroeper's banner for any page: <script async src="https://…/banner.js" data-language="nl"></script>
   data-language  the language of the announcements; without it that of the page
   data-target    a selector of the element to fill; without it the banner stands on top of the page
   Reads banner.json beside this file, for at most four seconds, and stays silent when anything is not as it should be.
   Text is only ever inserted as text. What a reader hides stays hidden until it is corrected. EUPL-1.2. */
(function () {
  "use strict";
  var script = document.currentScript;
  if (!script || !window.fetch || !window.AbortController) return;

  var LIMIT = 4000;
  var LONGEST_TIMER = 2000000000;
  var STYLE =
    ".all{font:400 18px/1.45 system-ui,'Segoe UI',Roboto,'Noto Sans',sans-serif;text-align:start}" +
    ".one{background:#fff0cc;color:#2b1c00;border-block-end:4px solid #a56c00}" +
    ".one.emergency{background:#9b1c1c;color:#fff;border-block-end-color:#5f0f0f}" +
    ".in{display:flex;gap:16px;align-items:flex-start;max-inline-size:1120px;margin-inline:auto;padding:14px 20px}" +
    ".text{flex:1 1 auto;min-inline-size:0;overflow-wrap:break-word}" +
    "p{margin:0}strong{font-weight:700}.fact{white-space:nowrap}" +
    ".mark{display:inline-block;margin-block-end:4px;padding:0 8px;border-radius:4px;background:#ffcf33;color:#131d2b;font-size:16px;font-weight:700}" +
    "a{color:inherit;font-weight:700;display:inline-block;padding-block:4px;text-underline-offset:.15em}" +
    "button{flex:none;min-inline-size:44px;min-block-size:44px;margin-block:-4px;padding:0;border:1px solid currentColor;border-radius:6px;background:none;color:inherit;font:inherit;font-size:24px;line-height:1;cursor:pointer}" +
    "a:focus-visible,button:focus-visible{outline:3px solid currentColor;outline-offset:2px}" +
    "@media print{.all{display:none}}";

  function hidden(key) {
    try { return window.localStorage.getItem(key) === "1"; } catch (error) { return false; }
  }

  function hide(key) {
    try { window.localStorage.setItem(key, "1"); } catch (error) { /* then it is hidden on this page only */ }
  }

  function element(name, text, style) {
    var made = document.createElement(name);
    if (text) made.textContent = text;
    if (style) made.className = style;
    return made;
  }

  // Dates, times, phone numbers and amounts stay on one line.
  function sentence(text, facts, into) {
    var at = 0;
    while (at < text.length) {
      var next = null;
      facts.forEach(function (fact) {
        var found = text.indexOf(fact, at);
        if (fact && found >= 0 && (!next || found < next.found)) next = { found: found, fact: fact };
      });
      if (!next) break;
      into.appendChild(document.createTextNode(text.slice(at, next.found)));
      into.appendChild(element("span", next.fact, "fact"));
      at = next.found + next.fact.length;
    }
    into.appendChild(document.createTextNode(text.slice(at)));
  }

  function block(item, labels, taken) {
    var one = element("div", "", item.emergency ? "one emergency" : "one");
    var inner = element("div", "", "in");
    var text = element("div", "", "text");
    if (item.mark) text.appendChild(element("p", item.mark, "mark"));
    var words = element("p");
    sentence(item.title + (/[.!?]$/.test(item.title) ? " " : ". "), item.facts, words.appendChild(element("strong")));
    sentence(item.summary, item.facts, words);
    text.appendChild(words);
    if (/^https?:\/\//.test(item.url)) {
      var more = element("a", labels.more);
      more.href = item.url;
      more.setAttribute("aria-label", labels.more + ": " + item.title);
      text.appendChild(element("p")).appendChild(more);
    }
    var close = element("button", "\u00d7");
    close.type = "button";
    close.setAttribute("aria-label", labels.close + ": " + item.title);
    close.addEventListener("click", function () { hide(item.key); one.remove(); taken(); });
    inner.appendChild(text);
    inner.appendChild(close);
    one.appendChild(inner);
    return one;
  }

  function wanted(words) {
    return words.announcements.filter(function (item) {
      item.key = "omroeper:" + item.id + ":" + item.revision;
      return Date.parse(item.until) > Date.now() && !hidden(item.key);
    });
  }

  function show(words, language) {
    var items = wanted(words);
    var place = script.dataset.target ? document.querySelector(script.dataset.target) : document.body;
    if (!items.length || !place) return;
    var host = element("section");
    var root = host.attachShadow({ mode: "open" });
    host.lang = language;
    host.setAttribute("aria-label", words.name);
    host.style.setProperty("all", "initial", "important"); // no rule of the page for its own sections reaches us
    host.style.setProperty("display", "block", "important");
    if (window.CSSStyleSheet && "replaceSync" in CSSStyleSheet.prototype && "adoptedStyleSheets" in root) {
      var sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE); // not stopped by the page's own policy on styles
      root.adoptedStyleSheets = [sheet];
    } else {
      root.appendChild(element("style", STYLE));
    }
    // Screen readers speak what changes inside a live region, so both stand there, empty, before they are filled.
    var all = root.appendChild(element("div", "", "all"));
    var urgent = all.appendChild(element("div"));
    var calm = all.appendChild(element("div"));
    urgent.setAttribute("role", "alert");
    calm.setAttribute("role", "status");
    function taken() { if (!root.querySelector(".one")) host.remove(); }
    place.insertBefore(host, place.firstChild);
    window.setTimeout(function () {
      items.forEach(function (item) {
        var one = block(item, words, taken);
        (item.emergency ? urgent : calm).appendChild(one);
        var left = Date.parse(item.until) - Date.now();
        if (left < LONGEST_TIMER) window.setTimeout(function () { one.remove(); taken(); }, left);
      });
    }, 50);
  }

  function start() {
    var asked = (script.dataset.language || document.documentElement.lang || "").toLowerCase();
    var stop = new AbortController();
    var timer = window.setTimeout(function () { stop.abort(); }, LIMIT);
    var address = new URL("banner.json", script.src).href;
    window.fetch(address, { credentials: "omit", redirect: "error", signal: stop.signal })
      .then(function (answer) { return answer.ok ? answer.json() : null; })
      .then(function (found) {
        if (!found || found.version !== 1) return;
        var language = [asked, asked.split("-")[0], found.language].find(function (each) {
          return Object.prototype.hasOwnProperty.call(found.languages, each);
        });
        if (language) show(found.languages[language], language);
      })
      .catch(function () { /* a banner that cannot be read must not trouble the page it stands on */ })
      .then(function () { window.clearTimeout(timer); });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
