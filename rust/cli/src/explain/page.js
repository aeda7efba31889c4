"use strict";
const picture = document.querySelector("svg");
const nodes = [...document.querySelectorAll(".node")];
const wires = [...document.querySelectorAll(".wire")];
let pinned = null;

// Shows the details of a node, and what it reads and is read by; of null, the overview.
function show(node) {
  document.querySelectorAll("aside section").forEach((section) => {
    section.hidden = section.id !== (node === null ? "overview" : "details-" + node);
  });
  const near = new Set([node]);
  for (const wire of wires) {
    const { from, to } = wire.dataset;
    const isNear = from === node || to === node;
    wire.classList.toggle("near", isNear);
    if (isNear) near.add(from).add(to);
  }
  picture.classList.toggle("chosen", node !== null);
  for (const other of nodes) {
    other.classList.toggle("chosen", other.dataset.node === node);
    other.classList.toggle("near", near.has(other.dataset.node));
  }
}

// A chosen node stays; its number stands in the address, so that a link leads to it.
function pin(node) {
  pinned = node;
  history.replaceState(null, "", node === null ? "#" : "#node-" + node);
  show(node);
}

for (const node of nodes) {
  const number = node.dataset.node;
  node.addEventListener("mouseenter", () => show(number));
  node.addEventListener("mouseleave", () => show(pinned));
  node.addEventListener("click", (event) => {
    event.stopPropagation();
    pin(pinned === number ? null : number);
  });
  node.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") pin(number);
  });
}
picture.addEventListener("click", () => pin(null));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") pin(null);
});
const named = nodes.find((node) => "#" + node.id === location.hash);
const failed = nodes.find((node) => node.classList.contains("failed"));
pinned = (named || failed)?.dataset.node ?? null;
show(pinned);
