import type { Parameter } from '../api/types';
import { draftOf, givenParameters, parameterIn } from '../parameters';

function parameter(declared: string, value: unknown, name = 'x'): Parameter {
  return { name, type: 'other', declared, default: value, help: '' };
}

test.each([
  ['bool', true, true],
  ['int', 3, '3'],
  ['float', 0.1, '0.1'],
  ['float', 'NaN', 'NaN'],
  ['str', 'JFK', 'JFK'],
  ['str', '"JFK"', '"JFK"'],
  ['str | None', 'None', '"None"'],
  ['str | None', null, 'null'],
  ['int | str', '3', '"3"'],
  ['date', '2024-01-31', '2024-01-31'],
  ['date', null, ''],
  ['bool | None', true, 'true'],
  ['list', ['a'], '["a"]'],
  ['dict', { a: 1 }, '{"a":1}'],
  ['dict', '{1: 2}', '{1: 2}'],
  ['Any', null, 'null']
] as const)('the default of a %s fills its field', (declared, value, draft) => {
  expect(draftOf(parameter(declared, value))).toBe(draft);
});

test('only what was changed is given, as it was typed', () => {
  const parameters = [
    parameter('int', 200, 'trees'),
    parameter('float', 0.1, 'lr'),
    parameter('bool', true, 'shuffle'),
    parameter('str', 'a', 'name'),
    parameter('date', '2024-01-31', 'day')
  ];
  const drafts = {
    trees: '200',
    lr: 'nan',
    shuffle: false,
    name: '123',
    day: '2024-02-29'
  };
  expect(givenParameters(parameters, drafts)).toEqual({
    parameters: { shuffle: false, name: '123' },
    parameter_texts: { lr: 'nan', day: '2024-02-29' }
  });
});

test.each([
  ['parameters.lr', 'lr'],
  ['parameters', null],
  ['cron', null],
  [null, null]
])('a refusal of %j is about %j', (field, name) => {
  expect(parameterIn(field)).toBe(name);
});
