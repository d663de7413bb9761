import type { Parameter } from '../api/types';
import { draftOf, givenParameters, readDraft } from '../parameters';

function parameter(type: Parameter['type'], value: unknown): Parameter {
  return { name: 'x', type, default: value, help: '' };
}

test.each([
  ['bool', true, true],
  ['int', 3, '3'],
  ['float', 0.1, '0.1'],
  ['str', 'JFK', 'JFK'],
  ['list', ['a'], '["a"]'],
  ['dict', { a: 1 }, '{"a":1}'],
  ['none', null, 'null'],
  ['str', null, 'null']
] as const)('the default of a %s fills its field', (type, value, draft) => {
  expect(draftOf(parameter(type, value))).toEqual(draft);
});

test.each([
  ['int', '42', 42],
  ['int', '-1', -1],
  ['float', '1e-3', 0.001],
  ['float', '2', 2],
  ['str', '', ''],
  ['str', '3', '3'],
  ['list', '[1, 2]', [1, 2]],
  ['dict', '{"a": null}', { a: null }],
  ['none', '"text"', 'text'],
  ['none', 'null', null]
] as const)('a %s is read from %j', (type, draft, value) => {
  expect(readDraft(parameter(type, null), draft)).toEqual({ value });
});

test.each([
  ['int', '1.5', 'int'],
  ['int', '', 'int'],
  ['int', '9007199254740993', 'int'],
  ['float', 'fast', 'float'],
  ['float', '1e999x', 'float'],
  ['float', '1e999', 'float'],
  ['list', '[1, -1e999]', 'list'],
  ['none', '1e999', 'json'],
  ['list', '{"a": 1}', 'list'],
  ['dict', '[1]', 'dict'],
  ['dict', 'null', 'dict'],
  ['none', 'text', 'json']
] as const)('a %s is not %j', (type, draft, mistake) => {
  expect(readDraft(parameter(type, null), draft)).toEqual({ mistake });
});

test('only what was changed is given', () => {
  const parameters = [
    { ...parameter('int', 200), name: 'trees' },
    { ...parameter('float', 0.1), name: 'lr' },
    { ...parameter('bool', true), name: 'shuffle' }
  ];
  const drafts = { trees: '200', lr: '0.2', shuffle: false };
  expect(givenParameters(parameters, drafts)).toEqual({
    values: { lr: 0.2, shuffle: false },
    mistakes: {}
  });
});

test('a mistake is named and its value left out', () => {
  const parameters = [{ ...parameter('int', 200), name: 'trees' }];
  expect(givenParameters(parameters, { trees: 'many' })).toEqual({
    values: {},
    mistakes: { trees: 'int' }
  });
});
