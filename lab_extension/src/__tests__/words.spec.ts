import { readProblem } from '../api/problem';
import { isUnsettled } from '../api/polls';
import type { Compute, TrackedRun } from '../api/types';
import { lifetimesOf } from '../lifetimes';
import { mainMetrics } from '../metrics';
import { modelName, proposedModelName } from '../names';
import { ownTimeZone, PRESETS, presetOf, timeZones } from '../timing';

const HOUR = 3_600;

test('a problem is read from its JSON', () => {
  const problem = readProblem(422, '{"message": "No.", "field": "cron"}');
  expect(problem).toMatchObject({ status: 422, message: 'No.', field: 'cron' });
});

test('a page instead of JSON means that the server half is missing', () => {
  expect(readProblem(404, '<html>').message).toBe('missing-extension');
  expect(readProblem(502, '<html>').message).toBe('');
  expect(readProblem(500, 'null').message).toBe('');
});

test('what moves is asked about more often', () => {
  expect(isUnsettled({ status: 'starting', target: 'running' })).toBe(true);
  expect(isUnsettled({ status: 'ready', target: 'running' })).toBe(false);
  expect(isUnsettled({ status: 'ready', target: 'stopped' })).toBe(true);
  expect(isUnsettled({ status: 'failed', target: 'running' })).toBe(false);
});

test('held-out metrics come before others, training ones last', () => {
  const metrics = {
    training_accuracy_score: 1,
    epochs: 3,
    test_n: 10,
    test_auc: 0.8,
    auc: 0.7
  };
  expect(mainMetrics(metrics, 4).map(([name]) => name)).toEqual([
    'test_auc',
    'test_n',
    'auc',
    'epochs'
  ]);
});

test.each([
  ['flights', 'flights/train.ipynb', 'bold-crow', 'flights'],
  ['Default', 'flights/train.ipynb', 'bold-crow', 'train'],
  ['Default', null, 'bold-crow', 'bold-crow'],
  ['/Users/ana/churn', null, 'x', 'churn'],
  ['Default', null, '%', 'model']
])('of %s, %s and %s, %s is proposed', (experiment, notebook, name, text) => {
  const run = { experiment, notebook, name } as TrackedRun;
  expect(proposedModelName(run)).toBe(text);
});

test('a name is what MLflow takes', () => {
  expect(modelName(' a/b:c."d" ')).toBe('a-b-c-d');
  expect(modelName('x'.repeat(300))).toHaveLength(250);
});

test('lifetimes never go past the longest, and hold the default', () => {
  const compute = {
    default_lifetime_s: 2 * HOUR,
    longest_lifetime_s: 8 * HOUR
  } as Compute;
  expect(lifetimesOf(compute)).toEqual([1, 2, 4, 8].map(h => h * HOUR));
});

test('a preset is recognised however it is spaced', () => {
  expect(presetOf('  30 2  * * 1-5 ')).toBe('weekdays');
  expect(presetOf('31 2 * * 1-5')).toBe('custom');
  expect(new Set(PRESETS.map(each => each.cron)).size).toBe(PRESETS.length);
});

test("the browser's own zone is among those on offer", () => {
  expect(timeZones()).toContain(ownTimeZone());
  expect(timeZones()[0]).toBe('UTC');
});
