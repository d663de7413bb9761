import { axisOf, spanOf, ticksOf } from '../run/timeline';
import { moment, step } from './steps';

const NOW = Date.parse(moment('10:00:20'));
const FROM = moment('10:00:00');
const RUN = { started_at: FROM, ended_at: moment('10:00:10') };
const axis = axisOf(RUN, NOW)!;

test('a run that has not begun has no axis', () => {
  expect(axisOf({ started_at: null, ended_at: null }, NOW)).toBeNull();
});

test('the axis of a running run ends now, never before its start', () => {
  const running = { started_at: FROM, ended_at: null };
  expect(axisOf(running, NOW)!.until).toBe(NOW);
  const early = axisOf(running, Date.parse(FROM) - 5_000)!;
  expect(early.until).toBeGreaterThan(early.from);
});

test('a bar is the share of the axis that its step took', () => {
  const ran = { started_at: moment('10:00:02'), ended_at: moment('10:00:07') };
  const span = spanOf(axis, step('a', ran), NOW)!;
  expect(span.start).toBeCloseTo(0.2);
  expect(span.length).toBeCloseTo(0.5);
});

test('a bar of a running step grows to now, and not beyond its axis', () => {
  const running = axisOf({ started_at: FROM, ended_at: null }, NOW)!;
  const at = { started_at: moment('10:00:10') };
  expect(spanOf(running, step('a', at), NOW)!.length).toBeCloseTo(0.5);
  expect(spanOf(running, step('a', at), NOW + 60_000)!.length).toBeCloseTo(0.5);
});

test('a moment can be seen, also at the very end', () => {
  const last = { started_at: RUN.ended_at, ended_at: RUN.ended_at };
  const span = spanOf(axis, step('a', last), NOW)!;
  expect(span.length).toBeGreaterThan(0);
  expect(span.start + span.length).toBeLessThanOrEqual(1);
});

test('what has not begun, or was taken over, has no bar', () => {
  expect(spanOf(axis, step('a'), NOW)).toBeNull();
  const before = { started_at: moment('09:00:00'), ended_at: FROM };
  expect(spanOf(axis, step('a', { ...before, reused: true }), NOW)).toBeNull();
});

test.each([
  [0.3, [0]],
  [10, [0, 2, 4, 6, 8, 10]],
  [65, [0, 15, 30, 45, 60]],
  [600, [0, 120, 240, 360, 480, 600]],
  [4 * 3_600, [0, 3_600, 7_200, 10_800, 14_400]],
  [11 * 86_400, [0, 3, 6, 9].map(days => days * 86_400)]
])('%d s have ticks at round times', (seconds, ticks) => {
  expect(ticksOf({ from: 0, until: seconds * 1000 })).toEqual(ticks);
});
