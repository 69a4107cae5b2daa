// Words, reasons, numbers, sizes and times in the language of the user; from messages.json and reasons.json.
const KNOWN = ['en', 'de'];
let messages = {}, reasons = {};
let chosen = 'en';

export async function loadWords() {
  [messages, reasons] = await Promise.all(['messages', 'reasons'].map(async name => (await fetch(`/static/${name}.json`)).json()));
  let kept = null;
  try { kept = localStorage.getItem('language'); } catch { /* storage may be forbidden */ }
  const wanted = [kept, ...navigator.languages.map(tag => tag.slice(0, 2))];
  chosen = wanted.find(language => KNOWN.includes(language)) ?? 'en';
}

export function useLanguage(language) {
  chosen = KNOWN.includes(language) ? language : 'en';
  try { localStorage.setItem('language', chosen); } catch { /* then it holds for this visit */ }
}

export const language = () => chosen;

export function word(key, values = {}) {
  const text = messages[key]?.[chosen] ?? key;
  return text.replace(/\{(\w+)\}/g, (gap, name) => values[name] ?? gap);
}

// A reason as a clause: code and values as in the JSON of a verdict, the wording as reasons.py fills it.
export function sentence({ code, values }) {
  const wording = reasons[code]?.[chosen];
  if (!wording) return `${code} (${Object.entries(values).map(([name, value]) => `${name} ${value}`).join(', ')})`;
  return [wording].flat().map(text =>
    text.replace(/\{(\w+)(?::([^}]*))?\}/g, (_, name, format) => filled(name, values, format ?? ''))).join(', ');
}

function filled(name, values, format) {
  if (name === 'when') {
    const [first, last] = [values.start_seconds, values.end_seconds].map(seconds => digits(seconds, 1));
    return first === last ? `${first} s` : `${first}-${last} s`;
  }
  const value = name === 'person' ? values.person + 1 : values[name];
  if (typeof value === 'object') return [value].flat().map(sentence).join(', ');
  if (typeof value === 'string') return value;
  const [one, several] = format.split('|');
  if (several !== undefined) return (value === 1 ? one : several).replaceAll('#', value);
  if (format === 'beside') return beside(value, [values.real_at_most, values.fake_at_least]);
  return format.endsWith('f') ? digits(value, Number(format[1]))
    : numeral(value, { maximumSignificantDigits: format === 'g' ? 6 : 17 });
}

// With as many digits as show that it is none of these limits, as `told_beside` in Python.
function beside(value, limits) {
  const count = [2, 3].find(some => limits.every(limit => Math.sign(+value.toFixed(some) - limit) === Math.sign(value - limit)));
  return digits(value, count ?? 4);
}

// As Python rounds, so that page and report never differ by a digit.
const numeral = (value, options) =>
  new Intl.NumberFormat(chosen, { useGrouping: false, roundingMode: 'halfEven', ...options }).format(value);

const digits = (value, count) => numeral(value, { minimumFractionDigits: count, maximumFractionDigits: count });

export const hasWord = key => key in messages;

export function translatePage(root = document) {
  document.documentElement.lang = chosen;
  for (const node of root.querySelectorAll('[data-word]')) node.textContent = word(node.dataset.word);
  for (const node of root.querySelectorAll('[data-label]')) node.setAttribute('aria-label', word(node.dataset.label));
}

// Never 0 or 100: no calibration is that sure. Verdicts of earlier versions went further.
export const percent = probability => `${Math.round(100 * Math.min(0.99, Math.max(0.01, probability)))}\u00a0%`;

// Sizes, times and spans of time as `Words` in Python tells them, so that page and report say the same.
export function size(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes, power = 0;
  for (; power + 1 < units.length && Math.round(10 * value) >= 9995; power += 1) value = bytes / 1000 ** (power + 1);
  return `${numeral(value, value >= 999.5 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 })} ${units[power]}`;
}

export function clock(seconds) {
  const tenths = Math.round(10 * seconds), minutes = Math.floor(tenths / 600), rest = (tenths - 600 * minutes) / 10;
  if (!minutes) return `${digits(rest, 1)} s`;
  if (minutes < 60) return `${minutes}:${digits(rest, 1).padStart(4, '0')}`;
  return [Math.floor(minutes / 60), minutes % 60, digits(rest, 0)].map((part, place) => String(part).padStart(place ? 2 : 1, '0')).join(':');
}

export function span(start, end) {
  const [first, last] = [start, end].map(clock);
  return first === last ? first : `${last.endsWith(' s') ? first.replace(/ s$/, '') : first} - ${last}`;
}

export const when = seconds => `${new Date(1000 * seconds).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
