// Puts the text of the field that a button names on the clipboard, and says so. Without it the field can be selected.
document.querySelectorAll("button[data-copy]").forEach((button) => {
  const field = document.getElementById(button.dataset.copy);
  const said = document.getElementById(`${button.dataset.copy}-said`);
  button.closest("div").hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(field.value);
      said.textContent = button.dataset.done;
    } catch {
      field.focus();
      field.select();
      said.textContent = button.dataset.failed;
    }
  });
});
