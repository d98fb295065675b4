/* Search that works from a folder, without a server: browsers grant pages of files no worker and no request. */
"use strict";
(() => {
const input = document.getElementById("mkdocs-search-query"), list = document.getElementById("mkdocs-search-results");
if (!list) return;  // the page of results alone
const load = (name) => new Promise((done, failed) => {
  document.head.append(Object.assign(document.createElement("script"), {src: `search/${name}`, onload: done, onerror: failed}));
});
const link = (doc) => {
  const item = document.createElement("article"), head = document.createElement("h3"), text = document.createElement("p");
  head.append(Object.assign(document.createElement("a"), {href: doc.location, textContent: doc.title}));
  text.textContent = doc.text.slice(0, 200);
  item.append(head, text);
  return item;
};
Promise.all([load("lunr.js"), load("index.js")]).then(() => {
  lunr.tokenizer.separator = new RegExp(SEARCH_INDEX.config.separator);
  const pages = new Map(SEARCH_INDEX.docs.map((doc) => [doc.location, doc]));
  const index = lunr(function () {
    this.ref("location");
    this.field("title");
    this.field("text");
    SEARCH_INDEX.docs.forEach((doc) => this.add(doc));
  });
  const show = () => {
    const words = lunr.tokenizer(input.value).map(String);
    const found = words.length ? index.query((query) => words.forEach((word) => query.term(word, {usePipeline: true}))) : [];
    list.replaceChildren(...found.map((hit) => link(pages.get(hit.ref))));
    if (!found.length) list.textContent = list.dataset.noResultsText;
  };
  input.addEventListener("input", show);
  input.value = new URLSearchParams(location.search).get("q") || "";
  show();
});
})();
