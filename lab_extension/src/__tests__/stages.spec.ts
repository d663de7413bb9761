import type { StepStatus } from '../api/types';
import { differencesOf, lasted, stepPairs } from '../run/comparison';
import { stagesOf, tellingOf } from '../run/stages';
import { moment, step } from './steps';

const runs = (...statuses: StepStatus[]) =>
  statuses.map((status, index) => step(`fit.${index}`, { status }));

test('the step runs of a step are one stage, in the order of the steps', () => {
  const steps = [
    step('prepare'),
    step('fit.0', { after: ['prepare', 'gone'] }),
    step('fit.1', { after: ['prepare', 'gone'] })
  ];
  const [prepare, fit] = stagesOf(steps);
  expect(prepare).toMatchObject({ name: 'prepare', after: [] });
  expect(fit).toMatchObject({ name: 'fit', after: ['prepare'] });
  expect(fit!.runs.map(each => each.key)).toEqual(['fit.0', 'fit.1']);
});

test.each<[StepStatus[], StepStatus]>([
  [['succeeded', 'failed', 'running'], 'failed'],
  [['succeeded', 'running', 'waiting'], 'running'],
  [['succeeded', 'waiting'], 'running'],
  [['waiting', 'waiting'], 'waiting'],
  [['succeeded', 'stopped'], 'stopped'],
  [['succeeded', 'skipped'], 'succeeded'],
  [['skipped', 'skipped'], 'skipped'],
  [['not-run'], 'not-run']
])('of %s the step is %s', (statuses, status) => {
  expect(stagesOf(runs(...statuses))[0]!.status).toBe(status);
});

test('a failed step run tells most of its step', () => {
  expect(tellingOf(stagesOf(runs('succeeded', 'failed'))[0]!).key).toBe(
    'fit.1'
  );
  expect(tellingOf(stagesOf(runs('succeeded', 'waiting'))[0]!).key).toBe(
    'fit.0'
  );
});

test('two runs differ in what they were not given alike', () => {
  const one = { parameters: { lr: 0.1, trees: 40, names: ['a'] } };
  const other = {
    parameters: { lr: 0.1, trees: 50, depth: null, names: ['a'] }
  };
  expect(differencesOf(one, other)).toEqual([
    { name: 'trees', values: ['40', '50'] },
    { name: 'depth', values: [null, 'null'] }
  ]);
});

test('a step lasts from its first start to its last end', () => {
  const ran = (from: string, until?: string) =>
    step('fit', { started_at: moment(from), ended_at: until && moment(until) });
  const first = ran('10:00:01', '10:00:04');
  expect(lasted([ran('10:00:02.5', '10:00:09'), first, step('fit')])).toBe(8);
  expect(lasted([first, ran('10:00:02')])).toBeNull();
  expect(lasted([step('fit')])).toBeNull();
});

test('steps stand side by side, also those that one run alone has', () => {
  const ran = { started_at: moment('10:00:01'), ended_at: moment('10:00:04') };
  const pairs = stepPairs([step('a', ran), step('b')], [step('c', ran)]);
  expect(pairs).toEqual([
    { name: 'a', seconds: [3, null] },
    { name: 'b', seconds: [null, null] },
    { name: 'c', seconds: [null, 3] }
  ]);
});
