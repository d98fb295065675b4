// On the readers' page as the studio serves it: answers that are saved go to the studio too.
document.getElementById('save').addEventListener('click', () => {
  const text = document.getElementById('copy').value;
  if (!text) return;
  fetch('answers', {method: 'POST', body: text}).then(async answer => {
    document.getElementById('state').textContent += ' ' + await answer.text();
  });
});
