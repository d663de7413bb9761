/** What a workload used of its cores and memory, with the limit and the peak. */
import * as React from 'react';
import { Poll } from '../api/poll';
import type { Sample, Usage } from '../api/types';
import { coresText, sizeText } from '../format';
import { useHubyard } from '../hubyard';
import { Loaded } from './Loaded';

const SAMPLED_MS = 15_000;
const WIDE = 100;
const HIGH = 40;
/** Room above the limit, so that its line is seen. */
const HEADROOM = 1.08;

/** The chart of a workload's ledger entry; it grows while the workload runs. */
export function UsageOf(props: {
  readonly entry: string;
  readonly running: boolean;
}): React.JSX.Element {
  const { client } = useHubyard();
  const { entry, running } = props;
  const poll = React.useMemo(
    () =>
      new Poll(
        () => client.usage(entry),
        data => (running || data === null ? SAMPLED_MS : Infinity)
      ),
    [client, entry, running]
  );
  return (
    <Loaded poll={poll}>
      {usage => (
        <div data-testid="hy-usage">
          {usage.samples.length === 0 ? (
            <Unmeasured usage={usage} />
          ) : (
            <Charts usage={usage} running={running} />
          )}
        </div>
      )}
    </Loaded>
  );
}

function Unmeasured({ usage }: { readonly usage: Usage }): React.JSX.Element {
  const { trans } = useHubyard();
  const { memory_bytes, peak_memory_bytes } = usage;
  return (
    <p className="hy-Help">
      {peak_memory_bytes > 0
        ? trans.__(
            'Its samples are gone; at most it used %1 of %2 of memory.',
            sizeText(peak_memory_bytes),
            sizeText(memory_bytes)
          )
        : trans.__(
            'Nothing was measured: it lived too short, or it just began.'
          )}
    </p>
  );
}

function Charts(props: {
  readonly usage: Usage;
  readonly running: boolean;
}): React.JSX.Element {
  const { trans } = useHubyard();
  const { cpu, memory_bytes, peak_memory_bytes, samples } = props.usage;
  const last = samples.at(-1)!;
  const counted = [...samples].reverse().find(each => each.disk_bytes != null);
  const cores = [coresText(last.cores), coresText(cpu)];
  const memory = [last.memory_bytes, peak_memory_bytes, memory_bytes];
  return (
    <>
      <Line
        title={trans.__('Cores')}
        says={
          props.running
            ? trans.__('%1 of %2 now', ...cores)
            : trans.__('%1 of %2 at the end', ...cores)
        }
        points={pointsOf(samples, sample => sample.cores)}
        limit={cpu}
      />
      <Line
        title={trans.__('Memory')}
        says={
          props.running
            ? trans.__('%1 now, at most %2 of %3', ...memory.map(sizeText))
            : trans.__(
                '%1 at the end, at most %2 of %3',
                ...memory.map(sizeText)
              )
        }
        points={pointsOf(samples, sample => sample.memory_bytes)}
        limit={memory_bytes}
        peak={peak_memory_bytes}
      />
      <DiskText sample={counted} />
    </>
  );
}

function DiskText(props: {
  readonly sample: Sample | undefined;
}): React.JSX.Element | null {
  const { trans } = useHubyard();
  const bytes = props.sample?.disk_bytes;
  return bytes == null ? null : (
    <p className="hy-Help">
      {trans.__('%1 of disk in its folder', sizeText(bytes))}
    </p>
  );
}

interface IPoint {
  readonly at: number;
  readonly value: number;
}

function pointsOf(
  samples: readonly Sample[],
  read: (sample: Sample) => number
): IPoint[] {
  return samples.map(each => ({ at: Date.parse(each.at), value: read(each) }));
}

function Line(props: {
  readonly title: string;
  readonly says: string;
  readonly points: readonly IPoint[];
  readonly limit: number;
  readonly peak?: number;
}): React.JSX.Element {
  const id = React.useId();
  const { limit, peak, points, says, title } = props;
  const most = Math.max(limit, ...points.map(({ value }) => value));
  const level = (value: number) => HIGH - (value / (most * HEADROOM)) * HIGH;
  const start = points[0]!.at;
  const span = Math.max(points.at(-1)!.at - start, 1);
  const drawn = points.map(
    ({ at, value }) => `${((at - start) / span) * WIDE},${level(value)}`
  );
  // One point alone would not be seen.
  const last = `${WIDE},${level(points.at(-1)!.value)}`;
  return (
    <figure className="hy-Chart hy-mod-line">
      <figcaption>
        <span id={id}>{title}</span>
        <span id={`${id}-says`}>{says}</span>
      </figcaption>
      <svg
        role="img"
        aria-labelledby={id}
        aria-describedby={`${id}-says`}
        viewBox={`0 0 ${WIDE} ${HIGH}`}
        preserveAspectRatio="none"
      >
        <Level at={level(limit)} kind="limit" />
        {peak !== undefined && <Level at={level(peak)} kind="peak" />}
        <polyline
          className="hy-Chart-line"
          points={[...drawn, last].join(' ')}
        />
      </svg>
    </figure>
  );
}

function Level(props: {
  readonly at: number;
  readonly kind: 'limit' | 'peak';
}): React.JSX.Element {
  const { trans } = useHubyard();
  return (
    <line
      className={`hy-Chart-${props.kind}`}
      x2={WIDE}
      y1={props.at}
      y2={props.at}
    >
      <title>
        {props.kind === 'limit' ? trans.__('limit') : trans.__('peak')}
      </title>
    </line>
  );
}
