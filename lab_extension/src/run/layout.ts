/**
 * Layout: where the steps of a pipeline stand, from what each of them waits for.
 *
 * column  how many steps at least come before: the longest way to it
 * row     its place within the column; parts of a row are possible
 * bend    a place that an edge passes on its way through a column
 */
export interface IPoint {
  readonly column: number;
  readonly row: number;
}

export interface INode {
  readonly name: string;
  readonly after: readonly string[];
}

export interface IEdge {
  readonly from: string;
  readonly to: string;
  /** Both ends, and the bends between them. */
  readonly points: readonly IPoint[];
}

export interface ILayout {
  readonly places: ReadonlyMap<string, IPoint>;
  readonly edges: readonly IEdge[];
  readonly columns: number;
  readonly rows: number;
}

interface ISlot {
  readonly column: number;
  row: number;
  readonly before: ISlot[];
  readonly behind: ISlot[];
}

/** Sweeps over all columns: the first ones sort, the last one straightens. */
const SWEEPS = 4;

/** Each node stands behind those that it waits for, which come before it in `nodes`. */
export function layoutOf(nodes: readonly INode[]): ILayout {
  const slots = new Map<string, ISlot>();
  const all: ISlot[] = [];
  const put = (column: number): ISlot => {
    const slot = { column, row: 0, before: [], behind: [] };
    all.push(slot);
    return slot;
  };
  const ways: { from: string; to: string; way: ISlot[] }[] = [];
  for (const { name, after } of nodes) {
    const before = after.flatMap(each => slots.get(each) ?? []);
    const column = Math.max(-1, ...before.map(each => each.column)) + 1;
    const slot = put(column);
    slots.set(name, slot);
    for (const from of needed(nodes, after)) {
      const begin = slots.get(from);
      if (begin !== undefined) {
        ways.push({ from, to: name, way: wayOf(begin, slot, put) });
      }
    }
  }
  const columns = columnsOf(all);
  arrange(columns);
  const places = new Map([...slots].map(([name, at]) => [name, pointOf(at)]));
  const edges = ways.map(({ from, to, way }) => ({
    from,
    to,
    points: way.map(pointOf)
  }));
  const rows = 1 + Math.max(-1, ...all.map(slot => slot.row));
  return { places, edges, columns: columns.length, rows };
}

/** Those of them that no other one waits for anyway. */
function needed(
  nodes: readonly INode[],
  after: readonly string[]
): readonly string[] {
  const others = new Set<string>();
  const visit = (name: string): void => {
    for (const each of nodes.find(node => node.name === name)?.after ?? []) {
      if (!others.has(each)) {
        others.add(each);
        visit(each);
      }
    }
  };
  after.forEach(visit);
  return after.filter(each => !others.has(each));
}

/** A slot in each column from one to the other, tied to one another. */
function wayOf(
  from: ISlot,
  to: ISlot,
  put: (column: number) => ISlot
): ISlot[] {
  const way = [from];
  for (let column = from.column + 1; column < to.column; column += 1) {
    way.push(put(column));
  }
  way.push(to);
  way.slice(1).forEach((slot, index) => {
    slot.before.push(way[index]!);
    way[index]!.behind.push(slot);
  });
  return way;
}

function columnsOf(slots: readonly ISlot[]): ISlot[][] {
  const columns: ISlot[][] = [];
  for (const slot of slots) {
    const column = (columns[slot.column] ??= []);
    slot.row = column.length;
    column.push(slot);
  }
  return columns;
}

/** Move each slot towards its neighbours, to and fro, then up to the first row. */
function arrange(columns: ISlot[][]): void {
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    columns.forEach(column => {
      settle(column, slot => slot.before);
    });
    [...columns].reverse().forEach(column => {
      settle(column, slot => slot.behind);
    });
  }
  const all = columns.flat();
  const top = Math.min(...all.map(slot => slot.row));
  all.forEach(slot => {
    slot.row -= top;
  });
}

/** Sort a column by where its neighbours are; no two share a row. */
function settle(column: ISlot[], neighbours: (slot: ISlot) => ISlot[]): void {
  const wished = new Map(
    column.map(slot => {
      const rows = neighbours(slot).map(each => each.row);
      return [slot, rows.length > 0 ? mean(rows) : slot.row];
    })
  );
  column.sort((one, other) => wished.get(one)! - wished.get(other)!);
  let free = -Infinity;
  for (const slot of column) {
    slot.row = Math.max(wished.get(slot)!, free);
    free = slot.row + 1;
  }
  const shift = mean([...wished.values()]) - mean(column.map(slot => slot.row));
  column.forEach(slot => {
    slot.row += shift;
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length;
}

function pointOf({ column, row }: ISlot): IPoint {
  return { column, row };
}
