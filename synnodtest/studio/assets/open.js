// Opening a file: its bytes go to the studio's own route, which knows whose session it is.
const file = element.querySelector('input[type=file]');
const size = element.querySelector('input[type=text]');
const button = element.querySelector('button');
const state = element.querySelector('.state');

async function send() {
  const chosen = file.files[0];
  if (!chosen) { state.textContent = 'Choose a file first.'; return; }
  const token = props.value;
  const most = Number(element.querySelector('.open').dataset.most);
  if (chosen.size > most) {
    trigger('edit', {error: `${chosen.name} has ${Math.round(chosen.size / 1048576)} MiB; at most ${Math.round(most / 1048576)} MiB are taken`, hint: ''});
    return;
  }
  button.disabled = true;
  state.textContent = `Reading ${chosen.name} …`;
  try {
    const query = new URLSearchParams({name: chosen.name, mm: size.value});
    const answer = await fetch(`studio/${token}/upload?${query}`, {method: 'POST', body: chosen});
    const text = await answer.text();
    let told;
    try { told = JSON.parse(text); } catch { told = {error: text, hint: ''}; }
    trigger('edit', answer.ok ? {opened: told.file} : {error: told.error, hint: told.hint});
    state.textContent = answer.ok ? '' : 'Not opened.';
  } catch (error) {
    trigger('edit', {error: 'the upload was broken off', hint: 'is the studio still running?'});
    state.textContent = 'Not opened.';
  }
  button.disabled = false;
}

button.addEventListener('click', send);
