import { runPace } from '../api/polls';
import type { Run, RunDetail } from '../api/types';
import { progressText, reasonText, tookText, usageTexts } from '../run/words';
import { plain } from './plain';
import { step } from './steps';

const run = (
  steps: number,
  stepsDone: number,
  cells: number,
  cellsDone: number
) =>
  ({
    steps_total: steps,
    steps_done: stepsDone,
    cells_total: cells,
    cells_done: cellsDone
  }) as Run;

test('how far a run is: its step among several, and its cell', () => {
  expect(progressText(plain, run(5, 1, 12, 6))).toBe(
    'step 2 of 5, cell 7 of 12'
  );
  expect(progressText(plain, run(1, 0, 4, 0))).toBe('cell 1 of 4');
  expect(progressText(plain, run(1, 1, 4, 4))).toBe('cell 4 of 4');
  expect(progressText(plain, run(5, 0, 0, 0))).toBe('step 1 of 5');
  expect(progressText(plain, run(0, 0, 0, 0))).toBeNull();
});

test('short times are told to a tenth', () => {
  expect(tookText(0.26)).toBe('0.3s');
  expect(tookText(75)).toBe('1m 15s');
});

test('what a step run has used is told where it is known', () => {
  const used = { attempt: 2, cpu_s: 1.74, peak_bytes: 70 * 2 ** 20 };
  expect(usageTexts(plain, step('fit', used))).toEqual([
    'attempt 2',
    'at most 70 MiB',
    '1.7s of CPU'
  ]);
  expect(usageTexts(plain, step('fit', { attempt: 1 }))).toEqual([
    null,
    null,
    null
  ]);
});

test('a run is asked about more often until it has ended', () => {
  const being = (status: string) =>
    ({ status, target: 'running' }) as RunDetail;
  const running = runPace(being('running'));
  expect(runPace(being('failed'))).toBeGreaterThan(running);
  expect(runPace(null)).toBeGreaterThan(running);
});

test('a run says why it has failed, or what it waits for', () => {
  const waits_for = 'It waits for 12 GiB of memory.';
  const failure = { reason: 'killed', message: 'It was killed.' } as const;
  expect(reasonText({ failure: null, waits_for })).toBe(waits_for);
  expect(reasonText({ failure, waits_for: null })).toBe('It was killed.');
  expect(reasonText({ failure: null })).toBeNull();
});
