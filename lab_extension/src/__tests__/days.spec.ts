import { firstOfWeek, firstWeekday, lastOfWeek } from '../week/days';

const SUNDAY = 0;
const MONDAY = 1;

test.each([
  ['2026-11-23', MONDAY, '2026-11-23'],
  ['2026-11-29', MONDAY, '2026-11-23'],
  ['2026-11-29', SUNDAY, '2026-11-29'],
  ['2026-11-28', SUNDAY, '2026-11-22'],
  ['2026-11-27', 6, '2026-11-21'],
  ['2027-01-01', MONDAY, '2026-12-28'],
  // Clocks change in these weeks, somewhere.
  ['2026-03-29', MONDAY, '2026-03-23'],
  ['2026-10-25', MONDAY, '2026-10-19']
])('the week of %s that begins with day %d begins on %s', (day, first, is) => {
  for (const time of ['00:00', '02:30', '23:59']) {
    expect(firstOfWeek(0, new Date(`${day}T${time}`), first)).toBe(is);
  }
});

test('weeks follow one another, through the year and its changes of clocks', () => {
  const now = new Date('2026-01-01T23:59');
  for (let offset = -55; offset < 55; offset++) {
    const last = lastOfWeek(firstOfWeek(offset, now, MONDAY));
    const next = new Date(Date.parse(last) + 86_400_000);
    const first = firstOfWeek(offset + 1, now, MONDAY);
    expect(first).toBe(next.toISOString().slice(0, 10));
  }
  expect(firstOfWeek(-1, now, MONDAY)).toBe('2025-12-22');
});

test('people begin their weeks on different days', () => {
  expect(firstWeekday('de-DE')).toBe(MONDAY);
  expect(firstWeekday('en-US')).toBe(SUNDAY);
  expect(firstWeekday('ar-EG')).toBe(6);
});

test('a browser that does not know begins on Monday', () => {
  const known = Object.getOwnPropertyDescriptors(Intl.Locale.prototype);
  for (const name of ['getWeekInfo', 'weekInfo']) {
    Object.defineProperty(Intl.Locale.prototype, name, {
      value: undefined,
      configurable: true
    });
  }
  expect(firstWeekday('en-US')).toBe(MONDAY);
  Object.defineProperties(Intl.Locale.prototype, known);
});
