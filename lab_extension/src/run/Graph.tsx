/** The graph: the steps of a pipeline as nodes, and what each of them waits for. */
import * as React from 'react';
import type { StepRecord } from '../api/types';
import { StatusIcon } from '../components/Badge';
import { useHubyard } from '../hubyard';
import { statusText } from '../status';
import { lasted } from './comparison';
import { type IEdge, type IPoint, layoutOf } from './layout';
import { type IStage, isOver, stagesOf } from './stages';
import { tookText } from './words';

/** In pixels: a node, and the room between two. */
const WIDE = 204;
const HIGH = 44;
const APART = 36;
const BELOW = 12;
const TIP = 5;

export function Graph(props: {
  readonly steps: readonly StepRecord[];
  readonly onChoose: (stage: IStage) => void;
}): React.JSX.Element {
  const { trans } = useHubyard();
  const stages = stagesOf(props.steps);
  const { columns, edges, places, rows } = layoutOf(stages);
  const size = {
    inlineSize: columns * (WIDE + APART) - APART,
    blockSize: rows * (HIGH + BELOW) - BELOW
  };
  return (
    <div className="hy-Graph" data-testid="hy-graph">
      <div style={size}>
        <svg width={size.inlineSize} height={size.blockSize} aria-hidden>
          {edges.map(edge => (
            <Edge key={`${edge.from} ${edge.to}`} edge={edge} />
          ))}
        </svg>
        <ol aria-label={trans.__('Steps, and what each waits for')}>
          {stages.map(stage => (
            <Node
              key={stage.name}
              stage={stage}
              at={places.get(stage.name)!}
              onChoose={props.onChoose}
            />
          ))}
        </ol>
      </div>
    </div>
  );
}

function Node(props: {
  readonly stage: IStage;
  readonly at: IPoint;
  readonly onChoose: (stage: IStage) => void;
}): React.JSX.Element {
  const { trans } = useHubyard();
  const { stage, at } = props;
  const { after, name, status } = stage;
  const place = {
    insetInlineStart: at.column * (WIDE + APART),
    insetBlockStart: at.row * (HIGH + BELOW),
    inlineSize: WIDE,
    blockSize: HIGH
  };
  return (
    <li style={place}>
      <button
        type="button"
        className="hy-Node"
        data-testid="hy-node"
        data-step={name}
        data-status={status}
        title={name}
        onClick={() => {
          props.onChoose(stage);
        }}
      >
        <StatusIcon status={status} />
        <span>
          <b>{name}</b>
          <small>
            <Said stage={stage} />
          </small>
        </span>
        {after.length > 0 && (
          <span className="hy-sr">
            {trans.__('after %1', after.join(', '))}
          </span>
        )}
      </button>
    </li>
  );
}

/** The status in words; of a fan-out, how many are done; how long it took. */
function Said({ stage }: { readonly stage: IStage }): React.JSX.Element {
  const { trans } = useHubyard();
  const { runs, status } = stage;
  const seconds = lasted(runs);
  const done = runs.filter(isOver).length;
  const reused = runs.every(each => each.reused);
  return (
    <>
      {statusText(trans, status)}
      {runs.length > 1 && ` · ${trans.__('%1 of %2', done, runs.length)}`}
      {reused && ` · ${trans.__('reused')}`}
      {seconds !== null && !reused && ` · ${tookText(seconds)}`}
    </>
  );
}

/** From the end of one node to the start of the other, with a tip there. */
function Edge({ edge }: { readonly edge: IEdge }): React.JSX.Element {
  const { points } = edge;
  const parts = points.slice(1).map((to, index) => {
    const last = index === points.length - 2;
    return curve(points[index]!, to, index === 0, last);
  });
  const end = points.at(-1)!;
  const x = leftOf(end);
  const y = middleOf(end);
  return (
    <g className="hy-Edge">
      <path d={parts.join(' ')} />
      <path
        className="hy-Edge-tip"
        d={`M${x} ${y}l${-TIP - 1} ${-TIP}v${2 * TIP}z`}
      />
    </g>
  );
}

/** Through a bend an edge goes straight on, as wide as a node would be. */
function curve(
  from: IPoint,
  to: IPoint,
  first: boolean,
  last: boolean
): string {
  const begin = leftOf(from) + WIDE;
  const end = leftOf(to) - (last ? TIP : 0);
  const [y, z] = [middleOf(from), middleOf(to)];
  const half = (begin + end) / 2;
  const move = first ? `M${begin} ${y}` : '';
  const through = last ? '' : `h${WIDE}`;
  return `${move}C${half} ${y} ${half} ${z} ${end} ${z}${through}`;
}

function leftOf({ column }: IPoint): number {
  return column * (WIDE + APART);
}

function middleOf({ row }: IPoint): number {
  return row * (HIGH + BELOW) + HIGH / 2;
}
