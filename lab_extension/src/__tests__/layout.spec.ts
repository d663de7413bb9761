import { type ILayout, layoutOf } from '../run/layout';

const at = ({ places }: ILayout, name: string) => places.get(name)!;
const edge = ({ edges }: ILayout, from: string, to: string) =>
  edges.find(each => each.from === from && each.to === to);

test('one step stands alone, and none takes no room', () => {
  const one = layoutOf([{ name: 'a', after: [] }]);
  expect(one).toMatchObject({ columns: 1, rows: 1, edges: [] });
  expect(layoutOf([])).toMatchObject({ columns: 0, rows: 0 });
});

test('a chain stands in one row, each behind the one before', () => {
  const chain = layoutOf([
    { name: 'a', after: [] },
    { name: 'b', after: ['a'] },
    { name: 'c', after: ['b'] }
  ]);
  expect(chain).toMatchObject({ columns: 3, rows: 1 });
  expect(['a', 'b', 'c'].map(name => at(chain, name))).toEqual([
    { column: 0, row: 0 },
    { column: 1, row: 0 },
    { column: 2, row: 0 }
  ]);
});

test('what fans out and in again stands around the middle', () => {
  const nodes = [
    { name: 'split', after: [] },
    ...['b1', 'b2', 'b3'].map(name => ({ name, after: ['split'] })),
    { name: 'join', after: ['b1', 'b2', 'b3'] }
  ];
  const fan = layoutOf(nodes);
  expect(fan).toMatchObject({ columns: 3, rows: 3 });
  expect(at(fan, 'split').row).toBeCloseTo(1);
  expect(at(fan, 'join').row).toBeCloseTo(1);
  expect(['b1', 'b2', 'b3'].map(name => at(fan, name).row)).toEqual([0, 1, 2]);
});

test('no edge is drawn that others say already', () => {
  const nodes = [
    { name: 'a', after: [] },
    { name: 'b', after: ['a'] },
    { name: 'c', after: ['a', 'b'] }
  ];
  const triangle = layoutOf(nodes);
  expect(triangle.edges.map(({ from, to }) => from + to)).toEqual(['ab', 'bc']);
});

test('a long edge bends around the steps between its ends', () => {
  const long = layoutOf([
    { name: 'a', after: [] },
    { name: 'b', after: ['a'] },
    { name: 'x', after: [] },
    { name: 'c', after: ['b', 'x'] }
  ]);
  const { points } = edge(long, 'x', 'c')!;
  expect(points.map(point => point.column)).toEqual([0, 1, 2]);
  const apart = Math.abs(points[1]!.row - at(long, 'b').row);
  expect(apart).toBeGreaterThanOrEqual(1);
});

test('a step that is not there is waited for by nobody', () => {
  const alone = layoutOf([{ name: 'b', after: ['gone'] }]);
  expect(at(alone, 'b')).toEqual({ column: 0, row: 0 });
  expect(alone.edges).toEqual([]);
});

test('no two of many share a place', () => {
  const layers = [0, 1, 2, 3, 4, 5];
  const nodes = layers.flatMap(layer =>
    [0, 1, 2, 3, 4].map(place => ({
      name: `${layer}.${place}`,
      after:
        layer === 0
          ? []
          : [
              `${layer - 1}.${(place * 3) % 5}`,
              `${layer - 1}.${(place + 2) % 5}`
            ]
    }))
  );
  const { places } = layoutOf(nodes);
  for (const layer of layers) {
    const rows = [0, 1, 2, 3, 4]
      .map(place => places.get(`${layer}.${place}`)!.row)
      .sort((one, other) => one - other);
    rows.slice(1).forEach((row, index) => {
      expect(row - rows[index]!).toBeGreaterThanOrEqual(0.999);
    });
  }
});
