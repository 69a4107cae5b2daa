// The form of a case file, all of it optional; what it gives is a zip to keep.
import { fetchCase } from './requests.js';
import { make } from './views.js';
import { language, word } from './words.js';

const FIELDS = ['examiner', 'exhibit', 'request', 'reviewer', 'notes'];

export function caseSection(scan, onProblem) {
  const told = make('p', { role: 'status', class: 'partial' });
  const fields = FIELDS.map(name => make('label', {}, make('span', {}, word(`case_${name}`)),
    make('input', { name, maxlength: '4000', autocomplete: 'off' })));
  const button = make('button', {}, word('case_send'));
  const send = async event => {
    event.preventDefault();
    const { elements } = event.target;
    button.disabled = true;
    told.textContent = word('case_waits');
    try {
      const details = Object.fromEntries(FIELDS.map(name => [name, elements[name].value]));
      keep(await fetchCase(scan.id, language(), details));
      told.textContent = word('case_done');
    } catch (error) {
      told.textContent = '';
      onProblem(error);
    }
    button.disabled = false;
  };
  return make('section', { id: 'case' }, make('details', {}, make('summary', {}, word('case_title')),
    make('p', {}, word('case_text')), make('form', { class: 'case', onsubmit: send }, fields, button), told));
}

function keep(blob) {
  const link = make('a', { href: URL.createObjectURL(blob), download: 'case.zip' });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
