import {
  coresText,
  dayText,
  daysText,
  dueText,
  durationText,
  fileName,
  momentText,
  numberText,
  secondsBetween,
  sizeText,
  stem,
  timesText,
  toTheMinute,
  untilText,
  weekdayText
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

test('days and times are told as people write them', () => {
  expect(weekdayText('2026-11-24')).toBe('Tue, Nov 24');
  expect(daysText('2026-11-23', '2026-11-29')).toMatch(/^Nov 23.–.29, 2026$/);
  expect(daysText('2026-12-28', '2027-01-03')).toMatch(/2026.–.Jan 3, 2027$/);
  const noon = '2026-11-24T12:00:00';
  expect(timesText(noon, noon)).toMatch(/^12:00.PM$/);
  expect(timesText(noon, '2026-11-24T13:30:00')).toMatch(/^12:00.–.1:30.PM$/);
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

test('a long time is told without its seconds, a short one with them', () => {
  expect(toTheMinute(7 * 3_600 + 59)).toBe(7 * 3_600);
  expect(toTheMinute(59)).toBe(59);
});

test("a day is the platform's, wherever the browser is", () => {
  expect(dayText('2026-11-01')).toBe('Nov 1');
  expect(dayText('2026-11-30T23:59:59Z')).toBe('Nov 30');
});

test('an end soon is a time of day, a later one has its date', () => {
  expect(untilText('2026-11-24T14:30:00Z', NOW)).not.toContain('Nov');
  expect(untilText('2026-11-25T14:30:00Z', NOW)).toContain('Nov');
});

test('cores are told to a hundredth', () => {
  expect(coresText(0.008475)).toBe('0.01');
  expect(coresText(2)).toBe('2');
});

test('memory is told in powers of two', () => {
  expect(sizeText(2 ** 31)).toBe('2 GiB');
  expect(sizeText(1.25 * 2 ** 30)).toBe('1.25 GiB');
  expect(sizeText(300 * 2 ** 20)).toBe('300 MiB');
  expect(sizeText(52 * 2 ** 10)).toBe('52 KiB');
  expect(sizeText(0)).toBe('0 KiB');
});
