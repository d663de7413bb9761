import {
  dueText,
  durationText,
  fileName,
  momentText,
  numberText,
  secondsBetween,
  stem
} from '../format';

const NOW = Date.parse('2026-11-24T12:00:00Z');

test.each([
  [0, '0s'],
  [-5, '0s'],
  [42, '42s'],
  [60, '1m'],
  [3_599, '59m 59s'],
  [28_800, '8h'],
  [27_720, '7h 42m'],
  [86_400 + 90, '1d'],
  [86_400 + 6 * 3_600, '1d 6h']
])('%d seconds are %s', (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
});

test('a moment is told from now, and by its date after a day', () => {
  expect(momentText('2026-11-24T11:57:00Z', NOW)).toBe('3 min. ago');
  expect(momentText('2026-11-24T14:00:00Z', NOW)).toBe('in 2 hr.');
  expect(momentText('2026-11-24T12:00:00Z', NOW)).toBe('now');
  expect(momentText('2026-11-20T12:00:00Z', NOW)).toBe('Nov 20');
  expect(momentText('2025-01-20T12:00:00Z', NOW)).toBe('Jan 20, 2025');
});

test('a due time is shown in the zone of its schedule, summer and winter', () => {
  expect(dueText('2026-03-28T01:30:00Z', 'Europe/Berlin')).toContain('02:30');
  expect(dueText('2026-03-30T00:30:00Z', 'Europe/Berlin')).toContain('02:30');
});

test('a zone that the browser does not know breaks nothing', () => {
  expect(dueText('2026-03-28T01:30:00Z', 'Mars/Olympus')).toContain('Mar 28');
});

test('an open end is now, and time does not run backwards', () => {
  expect(secondsBetween('2026-11-24T11:59:00Z', null, NOW)).toBe(60);
  expect(secondsBetween('2026-11-24T13:00:00Z', null, NOW)).toBe(0);
});

test('a metric has four digits, also when JSON had no number for it', () => {
  expect(numberText(0.863124)).toBe('0.8631');
  expect(numberText('NaN')).toBe('NaN');
  expect(numberText('-Infinity')).toBe('-∞');
});

test('the last part of a path', () => {
  expect(fileName('a/b/train.v2.ipynb')).toBe('train.v2.ipynb');
  expect(stem('a/b/train.v2.ipynb')).toBe('train.v2');
  expect(stem('train')).toBe('train');
});
