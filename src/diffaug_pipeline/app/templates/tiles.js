const verdicts = { k: "keep", r: "reject", u: null };
let focused = null;
const press = (tile) =>
  element.querySelectorAll("button").forEach((other) => other.setAttribute("aria-pressed", String(other === tile)));
element.addEventListener("click", (event) => {
  const tile = event.target.closest("button");
  if (!tile) return;
  press(tile);
  trigger("select", { image_id: tile.value });
});
element.addEventListener("keydown", (event) => {
  const tile = event.target.closest("button");
  if (!tile || !(event.key in verdicts) || event.ctrlKey || event.metaKey || event.altKey) return;
  press(tile);
  focused = tile.value;
  trigger("apply", { image_id: tile.value, verdict: verdicts[event.key] });
});
watch("value", () => {
  const tiles = [...element.querySelectorAll("button")];
  tiles.find((tile) => tile.value === focused)?.focus();
  focused = null;
});
