// Radiomics features: a tick asks for a feature, a slider and a number say how much. `props.value` is what is asked for.
const rows = [...element.querySelectorAll('[data-feature]')];
const parts = row => ({tick: row.querySelector('input[type=checkbox]'), slide: row.querySelector('input[type=range]'), number: row.querySelector('input[type=number]')});

function asked() {
  const wanted = {};
  for (const row of rows) {
    const {tick, number} = parts(row);
    if (tick.checked && number.value !== '') wanted[row.dataset.feature] = Number(number.value);
  }
  return wanted;
}

for (const row of rows) {
  const {tick, slide, number} = parts(row);
  slide.addEventListener('input', () => { number.value = slide.value; tick.checked = true; });
  slide.addEventListener('change', () => trigger('edit', {features: asked()}));
  number.addEventListener('change', () => { slide.value = number.value; tick.checked = number.value !== ''; trigger('edit', {features: asked()}); });
  tick.addEventListener('change', () => trigger('edit', {features: asked()}));
}

function take() {
  let wanted = {};
  try { wanted = JSON.parse(props.value || '{}'); } catch { return; }
  for (const row of rows) {
    const {tick, slide, number} = parts(row);
    const value = wanted[row.dataset.feature];
    tick.checked = value !== undefined;
    if (value !== undefined) { slide.value = value; number.value = value; }
    else { slide.value = row.dataset.median; number.value = row.dataset.median; }
  }
}

watch('value', take);
take();
