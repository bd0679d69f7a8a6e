// Ctrl+Enter saves what is being recorded, from any field. The form works without it.

const form = document.getElementById("record");

form?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  form.requestSubmit(form.querySelector('button[value="save"]'));
});
