import { firstWhen, type IWhenDraft, whenOf } from '../when';

const draft: IWhenDraft = {
  kind: 'cron',
  cron: ' 0 6 * * * ',
  zone: ' UTC ',
  file: ' data/*.csv ',
  model: ' churn@v2@champion '
};

test('at first a schedule has a cron', () => {
  expect(whenOf(firstWhen())).toHaveProperty('cron');
});

test.each([
  ['cron', { cron: '0 6 * * *' }],
  ['file', { on: { file: 'data/*.csv', webhook: false } }],
  ['model', { on: { model: 'churn@v2', alias: 'champion', webhook: false } }],
  ['webhook', { on: { webhook: true } }]
] as const)('a %s is asked for, and nothing else', (kind, when) => {
  expect(whenOf({ ...draft, kind })).toEqual({ ...when, time_zone: 'UTC' });
});

test.each([
  ['file', { file: ' ' }],
  ['model', { model: '' }],
  ['model', { model: 'churn' }],
  ['model', { model: '@champion' }],
  ['model', { model: 'churn@' }]
] as const)('a %s that is missing is no wish', (kind, typed) => {
  expect(whenOf({ ...draft, ...typed, kind })).toBeNull();
});
