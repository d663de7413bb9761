import type { IPollState } from '../api/poll';
import type { Workload } from '../api/types';
import {
  Alarm,
  endOf,
  extensionText,
  leftText,
  nearEndPace,
  secondsLeft,
  warningText
} from '../ending';
import { plain } from './plain';

const MINUTE = 60;
const NOW = Date.parse('2026-11-25T12:00:00Z');
const END = NOW + 60 * MINUTE * 1_000;

/** What the alarm says as an end comes near, minute by minute. */
function said(
  alarm: Alarm,
  at: number,
  minutes: number[],
  reason = 'lifetime'
) {
  return minutes.filter(left =>
    alarm.isDue({ at, reason, left: left * MINUTE })
  );
}

test('each end is warned of twice, at 15 and at 5 minutes', () => {
  expect(said(new Alarm(), END, [60, 16, 15, 14, 6, 5, 4, 1, 0])).toEqual([
    15, 5
  ]);
});

test('who comes late is told the one that is due, not both', () => {
  expect(said(new Alarm(), END, [3, 2, 1])).toEqual([3]);
  expect(said(new Alarm(), END, [13, 12])).toEqual([13]);
});

test('an end that moves away is warned of again', () => {
  const alarm = new Alarm();
  expect(said(alarm, END, [14, 4])).toEqual([14, 4]);
  const later = END + 60 * MINUTE * 1_000;
  expect(said(alarm, later, [62, 15, 14, 5])).toEqual([15, 5]);
});

test('an end that trembles, or comes sooner, is the same', () => {
  const alarm = new Alarm();
  expect(said(alarm, END, [15])).toEqual([15]);
  const trembling = [1, 2, 3, 30, 59].map(second => END + second * 1_000);
  expect(trembling.flatMap(at => said(alarm, at, [15, 14.9]))).toEqual([]);
  expect(said(alarm, END - 5 * MINUTE * 1_000, [10, 9])).toEqual([]);
  expect(said(alarm, END, [5, 4])).toEqual([5]);
});

test('another reason is another end, and hides the first one without renewing it', () => {
  const alarm = new Alarm();
  expect(said(alarm, END, [14])).toEqual([14]);
  expect(said(alarm, END - 60_000, [13], 'budget')).toEqual([13]);
  expect(said(alarm, END, [12])).toEqual([]);
});

function answered(workload: Partial<Workload>): IPollState<Workload> {
  const data = {
    deadline: '2026-11-25T13:00:00Z',
    ends: 'lifetime',
    ended_at: null,
    seconds_left: 3_600,
    ...workload
  } as Workload;
  return { data, error: null, at: NOW, loading: false };
}

test("time is counted from the answer, whatever this browser's clock says", () => {
  expect(secondsLeft(answered({}), NOW + 90_000)).toBe(3_510);
  expect(secondsLeft(answered({}), NOW - 50_000)).toBe(3_600);
  expect(secondsLeft(answered({}), NOW + 4_000_000)).toBe(0);
});

test('what has ended, and what nobody knows, has no end to come', () => {
  const over = answered({ ended_at: '2026-11-25T11:00:00Z' });
  expect(endOf(over, NOW)).toBeNull();
  const nothing = { data: null, error: 'No.', at: null, loading: false };
  expect(endOf(nothing, NOW)).toBeNull();
});

test('near the end it is asked four times a minute', () => {
  const pace = (seconds_left: number) =>
    nearEndPace(answered({ seconds_left }).data);
  expect(pace(20 * MINUTE)).toBe(60_000);
  expect(pace(20 * MINUTE - 1)).toBe(15_000);
  expect(nearEndPace(null)).toBe(60_000);
});

test.each([
  ['lifetime', 7 * 3_600 + 42 * MINUTE + 7, '7h 42m left'],
  ['idle', 12 * MINUTE + 59, 'idle: 12m left'],
  ['budget', 59, 'budget spent: 59s left']
])('of %s, %d seconds are %s', (reason, left, text) => {
  expect(leftText(plain, { reason, left })).toBe(text);
});

test.each([
  ['lifetime', 'The lifetime of this workspace is over in 13 minutes.'],
  ['idle', 'Nothing happens in this workspace: it ends in 13 minutes,'],
  ['budget', "The month's budget is spent: this workspace ends in 13 minutes."]
])('a warning names the reason: %s', (reason, text) => {
  expect(warningText(plain, { reason, left: 790 })).toContain(text);
});

test('the last seconds are called a minute', () => {
  expect(warningText(plain, { reason: 'budget', left: 12 })).toContain(
    'in 1 minute.'
  );
});

test('more time has its price on the button', () => {
  const cost = { micros: 50_000, text: '$0.05' };
  expect(extensionText(plain, { seconds: 3_600, cost })).toBe('+1 h for $0.05');
  expect(extensionText(plain, { seconds: 5_400, cost })).toBe(
    '+1.5 h for $0.05'
  );
});
